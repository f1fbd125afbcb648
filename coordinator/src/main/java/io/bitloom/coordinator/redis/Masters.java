package io.bitloom.coordinator.redis;

import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Which server has a key. */
interface Masters {

  /**
   * Where the server of a key is, as far as it is known.
   *
   * @throws RedisException if it is not known
   */
  RedisURI of(String key);

  /** What a server is called in messages. */
  String name(RedisURI master);

  /** Asks Redis anew. */
  CompletionStage<Void> lookAgain();

  /** One server has all; sentinels say at each connect which one it is. */
  record OfServer(RedisAddress address) implements Masters {

    @Override
    public RedisURI of(String key) {
      return address.nodes().get(0);
    }

    @Override
    public String name(RedisURI master) {
      return address.toString();
    }

    @Override
    public CompletionStage<Void> lookAgain() {
      return CompletableFuture.completedStage(null);
    }
  }

  /** Each server of a cluster has some slots. */
  record OfCluster(
      RedisAddress address,
      RedisClusterClient client,
      StatefulRedisClusterConnection<String, byte[]> connection)
      implements Masters {

    @Override
    public RedisURI of(String key) {
      RedisClusterNode node = connection.getPartitions().getMasterBySlot(SlotHash.getSlot(key));
      if (node == null) {
        throw new RedisException("no server of the cluster has this key");
      }
      return RedisURI.builder(address.nodes().get(0))
          .withHost(node.getUri().getHost())
          .withPort(node.getUri().getPort())
          .build();
    }

    @Override
    public String name(RedisURI master) {
      return master.getHost() + ":" + master.getPort();
    }

    @Override
    public CompletionStage<Void> lookAgain() {
      return client.refreshPartitionsAsync();
    }
  }
}
