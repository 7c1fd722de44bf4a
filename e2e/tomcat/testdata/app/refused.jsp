<%@ page contentType="application/json; charset=utf-8" trimDirectiveWhitespaces="true" %>
{"page": "refused", "node": "<%= System.getProperty("jvmRoute") %>"}
