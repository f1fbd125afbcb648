package io.bitloom.common.prompt;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file on disk. */
public final class FileBytes extends SeekableBytes {

  private final FileChannel channel;
  private final long size;
  private BufferedInputStream bytes;
  private long position;

  public FileBytes(Path file) throws IOException {
    channel = FileChannel.open(file, StandardOpenOption.READ);
    size = channel.size();
    bytes = new BufferedInputStream(Channels.newInputStream(channel));
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public void seek(long position) throws IOException {
    channel.position(position);
    bytes = new BufferedInputStream(Channels.newInputStream(channel));
    this.position = position;
  }

  @Override
  public int read() throws IOException {
    int b = bytes.read();
    position += b < 0 ? 0 : 1;
    return b;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    int count = bytes.read(into, offset, length);
    position += Math.max(0, count);
    return count;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
