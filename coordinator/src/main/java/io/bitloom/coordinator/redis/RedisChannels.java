package io.bitloom.coordinator.redis;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateAdapter;
import io.lettuce.core.cluster.pubsub.StatefulRedisClusterPubSubConnection;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  private final Optional<ShardChannels> shards;
  private final Map<String, List<Listener>> listeners = new HashMap<>();
  private volatile boolean answering = true;

  /** Channels that are told to all servers. */
  RedisChannels(StatefulRedisPubSubConnection<String, byte[]> connection) {
    this(connection, Optional.empty());
  }

  /** Likewise, but those with a hash tag are told to the servers of their slot only. */
  static RedisChannels sharded(StatefulRedisClusterPubSubConnection<String, byte[]> connection) {
    return new RedisChannels(connection, Optional.of(connection));
  }

  private RedisChannels(
      StatefulRedisPubSubConnection<String, byte[]> connection,
      Optional<StatefulRedisClusterPubSubConnection<String, byte[]>> cluster) {
    this.connection = connection;
    this.shards = cluster.map(of -> new ShardChannels(of, new Messages()));
    connection.addListener(
        new RedisConnectionStateAdapter() {
          @Override
          public void onRedisConnected(RedisChannelHandler<?, ?> connected, SocketAddress address) {
            answering = true;
          }
        });
    connection.addListener(new Messages());
  }

  /** Tells the listeners what comes. */
  private final class Messages extends RedisPubSubAdapter<String, byte[]> {

    @Override
    public void message(String channel, byte[] message) {
      of(channel).forEach(listener -> listener.message(message));
    }

    @Override
    public void smessage(String channel, byte[] message) {
      message(channel, message);
    }

    @Override
    public void subscribed(String channel, long count) {
      of(channel).forEach(Listener::subscribed);
    }

    @Override
    public void ssubscribed(String channel, long count) {
      subscribed(channel, count);
    }
  }

  /** Whether a channel with a hash tag is one of its slot: {@code SPUBLISH} speaks to it. */
  public boolean sharded() {
    return shards.isPresent();
  }

  private Optional<ShardChannels> shards(String channel) {
    return shards.filter(some -> ShardChannels.isOne(channel));
  }

  /**
   * Adds a listener; the stage is complete when its subscription is in force.
   *
   * @return what ends the subscription
   */
  public CompletionStage<Runnable> subscribe(String channel, Listener listener) {
    synchronized (listeners) {
      listeners.computeIfAbsent(channel, c -> new ArrayList<>()).add(listener);
      return shards(channel)
          .map(some -> some.subscribe(channel))
          .orElseGet(() -> connection.async().subscribe(channel))
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
        shards(channel).ifPresent(some -> some.unsubscribe(channel));
        if (connection.isOpen() && shards(channel).isEmpty()) {
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
    shards.ifPresent(ShardChannels::look);
  }
}
