<%@ page contentType="application/json; charset=utf-8" trimDirectiveWhitespaces="true" %>
{"page": "login", "node": "<%= System.getProperty("jvmRoute") %>", "session": "<%= session.getId() %>",
 "next": "<%= response.encodeURL("j_security_check") %>"}
