# One image for web servers and workers; compose.yaml shows both. Data lives outside: PostgreSQL, the broker, /data.
FROM python:3.11-slim-bookworm

# An empty TORCH_INDEX builds with CUDA, for workers of the queue `gpu`.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --system --uid 10001 --home-dir /data --create-home stepmark
WORKDIR /srv/stepmark
COPY requirements.txt .
RUN pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -r requirements.txt
COPY . .
ENV STATIC_ROOT=/srv/stepmark/static STATIC_COLLECTED=1 STEPMARK_HOME=/data LOG_FORMAT=json
RUN SECRET_KEY=only-for-this-step python manage.py collectstatic --no-input --verbosity=0

USER stepmark
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "app.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=8", \
     "--no-control-socket"]
