package io.bitloom.coordinator.dispatch.worker;

/**
 * When a worker's next message is read: as soon as one has come, so that what is sent together is
 * handled and committed together, unless those that were not handled yet are many, or hold too much
 * together with outcomes that are being stored.
 *
 * <p>Nobody knows how large a message is before it comes. So only one is asked for at a time, and
 * what is held never goes beyond the bound by more than one message.
 *
 * <p>Messages come in threads of the transport and are handled in the dispatch loop.
 */
final class ReadAhead {

  private static final long MAX_BYTES = 8 << 20;
  private static final int MAX_MESSAGES = 256;

  private final Runnable askForOne;
  private boolean mayRead; // all guarded by this
  private boolean asked;
  private int messages;
  private long bytes;

  /**
   * @param askForOne lets one message come, perhaps before it returns; called by one thread at a
   *     time
   */
  ReadAhead(Runnable askForOne) {
    this.askForOne = askForOne;
  }

  /** Reads the first message, and no other one before {@link #resume}. */
  synchronized void first() {
    asked = true;
    askForOne.run();
  }

  /** From now on messages are read. */
  synchronized void resume() {
    mayRead = true;
    readOn();
  }

  /** Nothing more is read. */
  synchronized void end() {
    mayRead = false;
  }

  /** The message that was asked for has come. */
  synchronized void came(int size) {
    asked = false;
    messages++;
    bytes += size;
    readOn();
  }

  /** A message that has come was handled. */
  synchronized void handled(int size) {
    messages--;
    letGo(size);
  }

  /** A part of a message is to be held for longer. */
  synchronized void hold(int size) {
    bytes += size;
  }

  synchronized void letGo(int size) {
    bytes -= size;
    readOn();
  }

  /** Whether nothing is read because of what is held. */
  synchronized boolean full() {
    return bytes >= MAX_BYTES;
  }

  private void readOn() {
    if (mayRead && !asked && messages < MAX_MESSAGES && !full()) {
      asked = true;
      askForOne.run();
    }
  }
}
