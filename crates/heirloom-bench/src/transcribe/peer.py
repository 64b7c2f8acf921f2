# faster-whisper over some recordings with the same weights: a line of JSON for each. MODEL FILE…
import json
import sys

from faster_whisper import WhisperModel

model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=1)
for file in sys.argv[2:]:
    segments, _ = model.transcribe(file, beam_size=5, word_timestamps=True)
    words = [word for segment in segments for word in segment.words]
    print(json.dumps([[word.word, word.start] for word in words]), flush=True)
