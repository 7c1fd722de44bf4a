<%@ page contentType="application/json; charset=utf-8" trimDirectiveWhitespaces="true" %>
<%
  Integer before = (Integer) session.getAttribute("visits");
  int visits = before == null ? 1 : before + 1;
  session.setAttribute("visits", visits);
%>
{"page": "index", "node": "<%= System.getProperty("jvmRoute") %>", "session": "<%= session.getId() %>",
 "visits": <%= visits %>, "next": "<%= response.encodeURL("index.jsp") %>"}
