# isstub, a stand-in for an identity server's node. `make images` fills the
# folder that this builds from.
FROM scratch
COPY isstub /isstub
USER 65532:65532
ENTRYPOINT ["/isstub"]
