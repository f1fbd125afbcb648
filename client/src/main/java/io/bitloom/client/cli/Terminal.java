package io.bitloom.client.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The terminal as a screen of its own, with keys that count at once. Closing it brings back what
 * was there before, also when the program is ended by a signal.
 */
final class Terminal implements AutoCloseable {

  private static final Path TTY = Path.of("/dev/tty");
  private static final String ENTER = "\u001b[?1049h\u001b[?25l";
  private static final String LEAVE = "\u001b[?25h\u001b[?1049l";
  private static final String HOME = "\u001b[H";
  private static final String ERASE_LINE = "\u001b[K";
  private static final String ERASE_REST = "\u001b[J";
  private static final long LOOK_MILLIS = 50;

  private final PrintWriter screen =
      new PrintWriter(
          new OutputStreamWriter(new FileOutputStream(FileDescriptor.err), StandardCharsets.UTF_8));
  private final String before;
  private final InputStream keys;
  private final Thread onExit = new Thread(this::restore, "terminal");

  private Terminal() throws IOException {
    before = stty("-g");
    keys = Files.newInputStream(TTY);
    stty("-icanon", "-echo", "min", "0", "time", "0");
    Runtime.getRuntime().addShutdownHook(onExit);
    screen.print(ENTER);
    screen.flush();
  }

  /**
   * @throws IOException if there is none
   */
  static Terminal open() throws IOException {
    return new Terminal();
  }

  /** How much fits on it. */
  record Size(int rows, int columns) {}

  /** Its size now; it may change at any time. */
  Size size() throws IOException {
    try {
      String[] size = stty("size").split(" ");
      return new Size(
          Math.max(4, Integer.parseInt(size[0])), Math.max(20, Integer.parseInt(size[1])));
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return new Size(24, 80);
    }
  }

  /** Replaces what is shown; what does not fit below is left out. */
  void show(List<String> lines, Size size) {
    StringBuilder text = new StringBuilder(HOME);
    int last = Math.min(lines.size(), size.rows() - 1);
    for (String line : lines.subList(0, last)) {
      text.append(line).append(ERASE_LINE).append("\r\n");
    }
    screen.print(text.append(ERASE_REST));
    screen.flush();
  }

  /** Waits, and returns early if somebody pressed q. */
  boolean quitWithin(long millis) throws IOException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    try {
      while (System.nanoTime() < end) {
        int key = keys.read();
        if (key == 'q' || key == 'Q') {
          return true;
        }
        Thread.sleep(LOOK_MILLIS);
      }
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private static String stty(String... words) throws IOException {
    String[] command = new String[words.length + 1];
    command[0] = "stty";
    System.arraycopy(words, 0, command, 1, words.length);
    Process stty = new ProcessBuilder(command).redirectInput(TTY.toFile()).start();
    try (InputStream out = stty.getInputStream()) {
      String said = new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
      if (stty.waitFor() != 0) {
        throw new IOException("stty failed");
      }
      return said;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private void restore() {
    screen.print(LEAVE);
    screen.flush();
    try {
      stty(before);
    } catch (IOException e) {
      screen.println("the terminal may need: stty sane");
      screen.flush();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
      restore();
    } catch (IllegalStateException e) {
      // The program is being ended, and the hook restores it.
    }
    keys.close();
  }
}
