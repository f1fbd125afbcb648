package io.bitloom.coordinator.redis;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection on which something was sent and nothing comes back, so that a new one is
 * made. A network that has forgotten a connection drops its packets without a word, and TCP itself
 * goes on sending them for a quarter of an hour, long after the way is open again.
 */
final class ReplyWatch extends ChannelDuplexHandler {

  private final long patienceNanos;

  // Confined to the channel's thread.
  private boolean waiting;
  private boolean scheduled;
  private long since;

  ReplyWatch(Duration patience) {
    this.patienceNanos = patience.toNanos();
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
      throws Exception {
    if (!waiting) {
      waiting = true;
      since = System.nanoTime();
      lookIn(context, patienceNanos);
    }
    super.write(context, message, promise);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    waiting = false;
    super.channelRead(context, message);
  }

  private void lookIn(ChannelHandlerContext context, long nanos) {
    if (!scheduled) {
      scheduled = true;
      context.executor().schedule(() -> look(context), nanos, TimeUnit.NANOSECONDS);
    }
  }

  private void look(ChannelHandlerContext context) {
    scheduled = false;
    long left = since + patienceNanos - System.nanoTime();
    if (waiting && left <= 0) {
      context.close();
    } else if (waiting) {
      lookIn(context, left);
    }
  }
}
