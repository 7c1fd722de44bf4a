<%@ page trimDirectiveWhitespaces="true" %>
<% response.sendRedirect(response.encodeRedirectURL(request.getContextPath() + "/index.jsp?from=go")); %>
