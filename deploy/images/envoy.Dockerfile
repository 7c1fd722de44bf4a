# Envoy where the public image cannot be pulled: the pinned binary with the
# libraries that it needs, under the public image's name, paths and entry point.
# `make images` fills the folder that this builds from.
FROM scratch
COPY rootfs/ /
ENV PATH=/usr/local/bin:/bin
USER 101:101
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]
LABEL usher.assembled=true
