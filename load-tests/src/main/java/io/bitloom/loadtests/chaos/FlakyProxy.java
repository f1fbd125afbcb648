package io.bitloom.loadtests.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Passes connections on to a port of this machine, and breaks some when it is told to. */
final class FlakyProxy implements AutoCloseable {

  private record Connection(Socket caller, Socket called) {

    void cut() {
      close(caller);
      close(called);
    }

    private static void close(Socket socket) {
      try {
        socket.close();
      } catch (IOException e) {
        // It is closed now, which is all that was wanted.
      }
    }
  }

  private volatile int port;
  private final ServerSocket listener;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Connection> connections = new ArrayList<>();

  FlakyProxy(int port) throws IOException {
    this.port = port;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    threads.execute(this::accept);
  }

  /** Connections that are made from now on go to another port. */
  void redirect(int port) {
    this.port = port;
  }

  String target() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket caller = listener.accept();
        Socket called = new Socket();
        Connection connection = new Connection(caller, called);
        try {
          called.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
        } catch (IOException e) {
          connection.cut();
          continue;
        }
        synchronized (connections) {
          connections.add(connection);
        }
        threads.execute(() -> pass(connection, caller, called));
        threads.execute(() -> pass(connection, called, caller));
      } catch (IOException e) {
        // The proxy ends, or a caller was gone before it was let in.
      }
    }
  }

  private void pass(Connection connection, Socket from, Socket to) {
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      in.transferTo(out);
    } catch (IOException e) {
      // One of the two is gone.
    } finally {
      connection.cut();
      synchronized (connections) {
        connections.remove(connection);
      }
    }
  }

  /** Breaks one connection, if there is any. */
  void cutOne(Random chance) {
    Connection some;
    synchronized (connections) {
      if (connections.isEmpty()) {
        return;
      }
      some = connections.get(chance.nextInt(connections.size()));
    }
    some.cut();
  }

  /** Breaks all connections that there are. */
  void cutAll() {
    synchronized (connections) {
      List.copyOf(connections).forEach(Connection::cut);
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    cutAll();
    threads.shutdownNow();
  }
}
