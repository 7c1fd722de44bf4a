<%@ page contentType="application/json; charset=utf-8" trimDirectiveWhitespaces="true" %>
{"page": "private", "node": "<%= System.getProperty("jvmRoute") %>", "session": "<%= session.getId() %>",
 "user": "<%= request.getRemoteUser() %>"}
