package io.bitloom.coordinator.redis;

import io.lettuce.core.RedisException;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.cluster.pubsub.StatefulRedisClusterPubSubConnection;
import io.lettuce.core.pubsub.RedisPubSubListener;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Channels of a Redis Cluster that only the servers of one slot know, so that what is said there
 * does not go to all servers ({@code SPUBLISH}, Redis 7). Such a channel has a hash tag, like a
 * key, and is heard at the master of its slot; when another server becomes that, the subscription
 * goes along.
 */
final class ShardChannels {

  /** No server has this id. */
  private static final String NOWHERE = "";

  private final StatefulRedisClusterPubSubConnection<String, byte[]> cluster;
  private final RedisPubSubListener<String, byte[]> listener;

  /** Ids of the servers at which channels are heard. Guarded by this. */
  private final Map<String, String> servers = new HashMap<>();

  /** Connections whose messages are heard. Guarded by this. */
  private final Set<StatefulRedisPubSubConnection<String, byte[]>> heard =
      Collections.newSetFromMap(new IdentityHashMap<>());

  /**
   * @param listener is told of messages and subscriptions of all channels
   */
  ShardChannels(
      StatefulRedisClusterPubSubConnection<String, byte[]> cluster,
      RedisPubSubListener<String, byte[]> listener) {
    this.cluster = cluster;
    this.listener = listener;
  }

  /** Whether this channel is heard at one server only. */
  static boolean isOne(String channel) {
    return channel.indexOf('{') >= 0;
  }

  /** The stage is complete when the subscription is in force. */
  CompletionStage<Void> subscribe(String channel) {
    RedisClusterNode master = master(channel);
    if (master == null) {
      return CompletableFuture.failedStage(
          new RedisException("no server of the cluster has the channel " + channel));
    }
    synchronized (this) {
      servers.put(channel, master.getNodeId());
    }
    return connection(master.getNodeId())
        .thenCompose(connection -> connection.async().ssubscribe(channel))
        .whenComplete(
            (done, e) -> {
              if (e != null) {
                notHeardAt(channel, master.getNodeId());
              }
            });
  }

  /** The next look tries again, unless nobody wants to hear it any more. */
  private synchronized void notHeardAt(String channel, String server) {
    servers.replace(channel, server, NOWHERE);
  }

  private synchronized boolean isWanted(String channel) {
    return servers.containsKey(channel);
  }

  void unsubscribe(String channel) {
    String server;
    synchronized (this) {
      server = servers.remove(channel);
    }
    if (server != null) {
      leave(channel, server);
    }
  }

  /** A server that is gone has no subscriptions any more. */
  private void leave(String channel, String server) {
    if (cluster.getPartitions().getPartitionByNodeId(server) != null) {
      connection(server)
          .thenAccept(
              connection -> {
                if (connection.isOpen()) {
                  connection.async().sunsubscribe(channel);
                }
              });
    }
  }

  /** Goes along with slots that have another master; to be called every few seconds. */
  void look() {
    Map<String, String> now;
    synchronized (this) {
      now = Map.copyOf(servers);
    }
    now.forEach(
        (channel, server) -> {
          RedisClusterNode master = master(channel);
          if (master != null && !master.getNodeId().equals(server) && isWanted(channel)) {
            leave(channel, server);
            subscribe(channel);
          }
        });
  }

  private RedisClusterNode master(String channel) {
    return cluster.getPartitions().getMasterBySlot(SlotHash.getSlot(channel));
  }

  private CompletionStage<StatefulRedisPubSubConnection<String, byte[]>> connection(String server) {
    return cluster.getConnectionAsync(server).thenApply(this::hear);
  }

  private synchronized StatefulRedisPubSubConnection<String, byte[]> hear(
      StatefulRedisPubSubConnection<String, byte[]> connection) {
    if (heard.add(connection)) {
      connection.addListener(listener);
    }
    return connection;
  }
}
