package io.bitloom.coordinator.redis;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateAdapter;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Messages of Redis channels. Subscriptions survive a loss of Redis; what was sent meanwhile is
 * missed, and the listeners are told that.
 */
public final class RedisChannels {

  /** Who hears the messages of one channel. Called on a thread that must not be blocked. */
  public interface Listener {

    void message(byte[] message);

    /** The subscription is in force, again or for the first time: messages may have been missed. */
    void subscribed();
  }

  private final StatefulRedisPubSubConnection<String, byte[]> connection;
  private final Map<String, List<Listener>> listeners = new HashMap<>();
  private volatile boolean answering = true;

  RedisChannels(StatefulRedisPubSubConnection<String, byte[]> connection) {
    this.connection = connection;
    connection.addListener(
        new RedisConnectionStateAdapter() {
          @Override
          public void onRedisConnected(RedisChannelHandler<?, ?> connected, SocketAddress address) {
            answering = true;
          }
        });
    connection.addListener(
        new RedisPubSubAdapter<>() {
          @Override
          public void message(String channel, byte[] message) {
            of(channel).forEach(listener -> listener.message(message));
          }

          @Override
          public void subscribed(String channel, long count) {
            of(channel).forEach(Listener::subscribed);
          }
        });
  }

  /**
   * Adds a listener; the stage is complete when its subscription is in force.
   *
   * @return what ends the subscription
   */
  public CompletionStage<Runnable> subscribe(String channel, Listener listener) {
    synchronized (listeners) {
      listeners.computeIfAbsent(channel, c -> new ArrayList<>()).add(listener);
      return connection
          .async()
          .subscribe(channel)
          .handle(
              (done, e) -> {
                if (e != null) {
                  unsubscribe(channel, listener);
                  return CompletableFuture.<Runnable>failedStage(RedisErrors.translate(e));
                }
                return CompletableFuture.<Runnable>completedStage(
                    () -> unsubscribe(channel, listener));
              })
          .thenCompose(stage -> stage);
    }
  }

  private void unsubscribe(String channel, Listener listener) {
    synchronized (listeners) {
      List<Listener> left = listeners.get(channel);
      if (left != null && left.remove(listener) && left.isEmpty()) {
        listeners.remove(channel);
        if (connection.isOpen()) {
          connection.async().unsubscribe(channel);
        }
      }
    }
  }

  /** Has every listener look itself. */
  public void tellThatMessagesMayBeMissed() {
    List<Listener> all = new ArrayList<>();
    synchronized (listeners) {
      listeners.values().forEach(all::addAll);
    }
    all.forEach(Listener::subscribed);
  }

  private List<Listener> of(String channel) {
    synchronized (listeners) {
      return List.copyOf(listeners.getOrDefault(channel, List.of()));
    }
  }

  /** Whether Redis answers on this side. */
  boolean available() {
    return answering && connection.isOpen();
  }

  /** Keeps the connection busy, so that a dead one is noticed. */
  void ping() {
    if (connection.isOpen()) {
      connection.async().ping().whenComplete((pong, e) -> answering = e == null);
    }
  }

  void close() {
    connection.close();
  }
}
