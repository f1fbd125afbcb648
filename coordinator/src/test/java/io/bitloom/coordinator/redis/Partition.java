package io.bitloom.coordinator.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The way to a server, on which packets can get lost without a word to either side. */
final class Partition implements AutoCloseable {

  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final Object wall = new Object();

  // Guarded by the wall.
  private boolean cut;
  private int accepted;
  private int forgotten;

  Partition(String host, int port) throws IOException {
    threads.execute(
        () -> {
          while (!listener.isClosed()) {
            try {
              Socket caller = listener.accept();
              Socket server = new Socket(host, port);
              sockets.addAll(List.of(caller, server));
              int number = count();
              threads.execute(() -> pass(number, caller, server));
              threads.execute(() -> pass(number, server, caller));
            } catch (IOException e) {
              // The test ends, or the server is away.
            }
          }
        });
  }

  int port() {
    return listener.getLocalPort();
  }

  /** Holds back all that is sent, or delivers it and what comes. */
  void cut(boolean now) {
    synchronized (wall) {
      cut = now;
      wall.notifyAll();
    }
  }

  /** Drops what is sent over the connections that there are, for good; new ones work. */
  void forget() {
    synchronized (wall) {
      forgotten = accepted;
    }
  }

  private int count() {
    synchronized (wall) {
      return ++accepted;
    }
  }

  /** Waits while the way is cut; returns whether it leads anywhere. */
  private boolean open(int number) throws InterruptedException {
    synchronized (wall) {
      while (cut) {
        wall.wait();
      }
      return number > forgotten;
    }
  }

  private void pass(int number, Socket from, Socket to) {
    byte[] some = new byte[8192];
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      for (int n = in.read(some); n >= 0; n = in.read(some)) {
        if (open(number)) {
          out.write(some, 0, n);
        }
      }
    } catch (IOException e) {
      // One of the two is gone.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
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
