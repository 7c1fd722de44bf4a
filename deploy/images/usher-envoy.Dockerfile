# usher and the Envoy that it runs, for kubernetes/usher.yaml. `make images` fills
# the folder that this builds from.
FROM envoyproxy/envoy:v1.40.0
COPY usher /usr/local/bin/usher
# The system's roots, for pools that verify their nodes by them.
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/usher"]
CMD ["run"]
