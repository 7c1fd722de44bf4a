# usher, the control plane. `make images` fills the folder that this builds from.
FROM scratch
COPY usher /usher
# The system's roots, for pools that verify their nodes by them.
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# A new named volume takes owner and mode of the folder that it covers: so
# neither usher nor Envoy ever has to be root.
COPY --chown=65532:65532 state /state
USER 65532:65532
ENTRYPOINT ["/usher"]
