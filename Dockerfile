# width-transfer in an image: docker build --tag width-transfer . && docker run --rm --volume "$PWD:/images" width-transfer inspect resnet20
#
# The torch that pip installs decides about the device. PIP_INDEX_URL names another index than pip's own, for example one with builds for the CPU alone,
# which make a much smaller image: --build-arg PIP_INDEX_URL=…; with a CUDA build: docker run --gpus all …
# scripts/check-dockerfile goes through the same steps without Docker.

FROM swift:6.3-bookworm AS build
ARG PIP_INDEX_URL
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates git pkg-config python3 python3-pip python3-venv \
        libarchive-dev libcurl4-openssl-dev libgloo-dev libjpeg-dev libspng-dev libssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN WIDTH_TRANSFER_NO_INSTALL=1 scripts/wheel --output /wheel

FROM debian:bookworm-slim
ARG PIP_INDEX_URL
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/width-transfer \
    && useradd --create-home --uid 1000 user
COPY --from=build /wheel /wheel
# hadolint ignore=DL3013
RUN /opt/width-transfer/bin/pip install --no-cache-dir /wheel/*.whl numpy && rm -r /wheel
ENV PATH="/opt/width-transfer/bin:$PATH"
USER 1000
WORKDIR /images
ENTRYPOINT ["width-transfer"]
CMD ["--help"]
