package io.bitloom.common.prompt;

import java.io.IOException;
import java.io.InputStream;

/** Bytes that can be read from anywhere, not only from their start. */
public abstract class SeekableBytes extends InputStream {

  /** How many there are. */
  public abstract long size();

  /** Of the byte that is read next. */
  public abstract long position();

  /**
   * Goes on at another place.
   *
   * @param position 0 to {@link #size()}
   */
  public abstract void seek(long position) throws IOException;
}
