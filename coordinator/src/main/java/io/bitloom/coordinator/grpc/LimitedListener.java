package io.bitloom.coordinator.grpc;

import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Accepts connections up to a number; more are closed at once. */
final class LimitedListener extends NioServerSocketChannel {

  private final int most;
  private final AtomicInteger open = new AtomicInteger();

  LimitedListener(int most) {
    this.most = most;
  }

  @Override
  protected int doReadMessages(List<Object> accepted) throws Exception {
    int count = super.doReadMessages(accepted); // one, or none
    if (count == 0) {
      return count;
    }
    Channel connection = (Channel) accepted.get(accepted.size() - 1);
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      accepted.remove(connection);
      connection.unsafe().closeForcibly();
      return 0;
    }
    connection.closeFuture().addListener(closed -> open.decrementAndGet());
    return count;
  }
}
