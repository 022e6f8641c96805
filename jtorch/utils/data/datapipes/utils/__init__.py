"""What datapipes share: functions and streams, decoders of files."""
