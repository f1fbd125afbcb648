package io.bitloom.coordinator.chores;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A line to a server that breaks after so many bytes of answers, until it is mended. */
final class BrokenLine implements AutoCloseable {

  private final int port;
  private final ServerSocket listener;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private long left; // guarded by this

  BrokenLine(URI server, long bytes) throws IOException {
    this.port = server.getPort();
    this.left = bytes;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    threads.execute(this::accept);
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  synchronized void mend() {
    left = Long.MAX_VALUE;
  }

  private synchronized boolean take(int bytes) {
    left -= bytes;
    return left > 0;
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket caller = listener.accept();
        Socket called = new Socket();
        sockets.add(caller);
        sockets.add(called);
        called.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        threads.execute(() -> pass(caller, called, false));
        threads.execute(() -> pass(called, caller, true));
      } catch (IOException e) {
        // The line ends, or the server is away.
      }
    }
  }

  private void pass(Socket from, Socket to, boolean answers) {
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      byte[] some = new byte[1 << 14];
      for (int n = in.read(some); n >= 0 && (!answers || take(n)); n = in.read(some)) {
        out.write(some, 0, n);
      }
    } catch (IOException e) {
      // One of the two is gone.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
    threads.shutdownNow();
  }
}
