# Sourced by the scripts. One thread per process; see schedule.py for the reason of the malloc settings.
export PYTHONHASHSEED=0 OMP_NUM_THREADS=1 PYTHON=${PYTHON:-python3}
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=2000000000:glibc.malloc.trim_threshold=4000000000:glibc.malloc.top_pad=500000000
# onnxruntime reports its use to Microsoft otherwise.
export ORT_DISABLE_TELEMETRY=${ORT_DISABLE_TELEMETRY:-1}
