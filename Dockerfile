# Build with scripts/build-image. Before the first release, pin the base with `imgref pin Dockerfile`: no digest is
# written here that was not resolved from the registry.
FROM python:3.13-slim AS build
# imgref: ignore[IMG101, IMG502] scripts/build-image passes the context dist
# imgref: keep it is a build context
COPY --from=dist imgref-*.whl /dist/
RUN python -m venv /opt/imgref && /opt/imgref/bin/pip install --no-cache-dir "$(ls /dist/*.whl)[all]"

FROM python:3.13-slim
COPY --from=build /opt/imgref /opt/imgref
ENV PATH=/opt/imgref/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
USER 65532:65532
ENTRYPOINT ["imgref"]
