# docker build -t llm-gateway . && docker run -p 8080:8080 -v ./gateway.yaml:/etc/llm-gateway/gateway.yaml:ro llm-gateway
# With Bedrock and Vertex AI: docker build --build-arg LOCK=deploy/extras.txt -t llm-gateway .
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /srv
RUN python -m venv /opt/venv
ARG LOCK=deploy/requirements.txt
COPY deploy/requirements.txt deploy/extras.txt deploy/
RUN /opt/venv/bin/pip install --require-hashes --only-binary :all: -r "$LOCK"
COPY pyproject.toml setup.cfg README.md LICENSE wsgi.py gunicorn.conf.py ./
COPY app app
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation -e . && python -m compileall -q app

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent gateway
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv /srv
WORKDIR /srv
USER 10001
# Off loopback, so a configuration with tenants is needed. The run directory is made below /tmp; give it a tmpfs where the
# root file system is read-only.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GATEWAY_BIND=0.0.0.0:8080 \
    GATEWAY_CONFIG=/etc/llm-gateway/gateway.yaml
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
# gunicorn's master is the container's first process: SIGTERM drains, and it reaps what its workers leave behind.
CMD ["gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
