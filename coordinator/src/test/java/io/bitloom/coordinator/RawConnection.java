package io.bitloom.coordinator;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;

/** A connection on which a test says what no well-behaved client would. */
public final class RawConnection implements AutoCloseable {

  private final Socket socket;

  public RawConnection(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout((int) TestCoordinator.PATIENCE.toMillis());
  }

  public RawConnection say(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    return this;
  }

  public InputStream in() throws IOException {
    return socket.getInputStream();
  }

  /** A line without its end; null if the other side has closed the connection. */
  public String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = read(); b != '\n'; b = read()) {
      if (b < 0) {
        return null;
      }
      line.write(b);
    }
    return line.toString(ISO_8859_1).strip();
  }

  /** All up to the end, which the other side makes. */
  public String rest() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (int b = read(); b >= 0; b = read()) {
      all.write(b);
    }
    return all.toString(ISO_8859_1);
  }

  private int read() throws IOException {
    try {
      return in().read();
    } catch (SocketException e) {
      return -1; // closed without a word
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
