"""``Audio`` and what is done to it: decode, resample, find speech, write subtitles."""
