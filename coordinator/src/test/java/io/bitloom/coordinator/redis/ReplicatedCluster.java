package io.bitloom.coordinator.redis;

import io.lettuce.core.KillArgs;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.models.partitions.ClusterPartitionParser;
import io.lettuce.core.cluster.models.partitions.Partitions;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/**
 * A Redis Cluster in which each of three masters has a replica, set as {@code
 * docs/reference/redis.md} says: one that is killed is replaced by its replica within seconds.
 */
public final class ReplicatedCluster implements AutoCloseable {

  private static final int MASTERS = 3;

  private static final List<String> LINES =
      List.of(
          "appendonly yes",
          "appendfsync always",
          "repl-diskless-sync-delay 0"); // else a replica that is new waits for others

  private final RedisServers servers;
  private final List<Integer> ports = new ArrayList<>();

  /** Starts all servers, and waits until each master has its replica. */
  public ReplicatedCluster(Path folder) throws Exception {
    this(new RedisServers(folder));
  }

  /** Likewise, of some version, whose servers end with this. */
  public ReplicatedCluster(RedisServers servers) throws Exception {
    this.servers = servers;
    ports.addAll(servers.startMasters(MASTERS, LINES));
    for (int master : List.copyOf(ports)) {
      addReplica(master);
    }
    awaitWhole();
  }

  private void addReplica(int master) throws Exception {
    AtomicReference<String> id = new AtomicReference<>();
    servers.await(
        master,
        redis -> {
          id.set(redis.clusterMyId());
          return true;
        });
    int replica = servers.startNode(LINES);
    ports.add(replica);
    servers.await(
        replica,
        redis -> {
          redis.clusterMeet("127.0.0.1", master);
          return true;
        });
    servers.await(
        replica,
        redis -> {
          if (redis.clusterNodes().contains(id.get())) {
            redis.clusterReplicate(id.get());
            return true;
          }
          return false;
        });
  }

  /** The port of the server that somebody hears a channel at. */
  public int heardAt(String channel) throws InterruptedException {
    List<Integer> found = new ArrayList<>();
    for (int port : ports) {
      servers.await(
          port,
          redis -> {
            if (redis.pubsubNumsub(channel).get(channel) > 0) {
              found.add(port);
            }
            return true;
          });
    }
    return found.get(0);
  }

  /** At how many servers a command was used. */
  public int serversThatUsed(String command) throws InterruptedException {
    AtomicInteger count = new AtomicInteger();
    for (int port : ports) {
      servers.await(
          port,
          redis -> {
            if (redis.info("commandstats").contains("cmdstat_" + command + ":")) {
              count.incrementAndGet();
            }
            return true;
          });
    }
    return count.get();
  }

  public String uri() {
    return "redis-cluster://"
        + ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
  }

  /** Waits until all servers agree that all slots are there and each master has its replica. */
  public void awaitWhole() throws InterruptedException {
    for (int port : ports) {
      servers.await(
          port,
          redis ->
              redis.clusterInfo().contains("cluster_state:ok")
                  && isWhole(ClusterPartitionParser.parse(redis.clusterNodes())));
    }
    for (int port : ports) {
      servers.await(
          port,
          redis -> {
            String replication = redis.info("replication");
            return replication.contains("role:master")
                ? replication.contains("state=online")
                : replication.contains("master_link_status:up");
          });
    }
  }

  private static boolean isWhole(Partitions nodes) {
    return nodes.size() == 2 * MASTERS
        && nodes.stream().noneMatch(ReplicatedCluster::isMissed)
        && nodes.stream()
                .filter(node -> node.getRole().isReplica())
                .map(RedisClusterNode::getSlaveOf)
                .distinct()
                .count()
            == MASTERS;
  }

  private static boolean isMissed(RedisClusterNode node) {
    return node.is(RedisClusterNode.NodeFlag.FAIL)
        || node.is(RedisClusterNode.NodeFlag.EVENTUAL_FAIL)
        || node.is(RedisClusterNode.NodeFlag.HANDSHAKE)
        || !node.isConnected();
  }

  /** The port of a master, as a server knows that answers. */
  public int someMaster(Random chance) throws InterruptedException {
    return masterOf(chance.nextInt(SlotHash.SLOT_COUNT));
  }

  /** The port of the master that has a key. */
  public int masterOf(String key) throws InterruptedException {
    return masterOf(SlotHash.getSlot(key));
  }

  private int masterOf(int slot) throws InterruptedException {
    AtomicReference<RedisClusterNode> found = new AtomicReference<>();
    servers.await(
        servers.running(),
        redis -> {
          Partitions nodes = ClusterPartitionParser.parse(redis.clusterNodes());
          found.set(nodes.getMasterBySlot(slot));
          return found.get() != null;
        });
    return found.get().getUri().getPort();
  }

  /** The port of the replica of a master. */
  public int replicaOf(int master) throws InterruptedException {
    AtomicReference<RedisClusterNode> found = new AtomicReference<>();
    servers.await(
        master,
        redis -> {
          Partitions nodes = ClusterPartitionParser.parse(redis.clusterNodes());
          nodes.stream()
              .filter(node -> redis.clusterMyId().equals(node.getSlaveOf()))
              .findFirst()
              .ifPresent(found::set);
          return found.get() != null;
        });
    return found.get().getUri().getPort();
  }

  /** Waits until another server has the slots of a master that was killed. */
  public void awaitFailover(int killed) throws InterruptedException {
    int witness = ports.stream().filter(port -> port != killed).findFirst().orElseThrow();
    servers.await(
        witness,
        redis ->
            redis.clusterInfo().contains("cluster_state:ok")
                && ClusterPartitionParser.parse(redis.clusterNodes()).stream()
                    .filter(node -> node.getUri().getPort() == killed)
                    .allMatch(node -> node.getSlots().isEmpty()));
  }

  /** Has a replica hang, and its master send it nothing more; {@link #rejoin} ends that. */
  public void cutOff(int replica, int master) throws IOException, InterruptedException {
    servers.signal(replica, "STOP");
    servers.await(
        master,
        redis -> {
          redis.clientKill(KillArgs.Builder.typeSlave());
          return redis.info("replication").contains("connected_slaves:0");
        });
  }

  public void rejoin(int replica) throws IOException, InterruptedException {
    servers.signal(replica, "CONT");
  }

  /** Ends a server like {@code kill -9}. */
  public void kill(int port) {
    servers.kill(port);
  }

  /** Starts one that was killed; it is the replica of whoever took over its slots. */
  public void restart(int port) throws IOException, InterruptedException {
    servers.restart(port);
  }

  @Override
  public void close() {
    servers.close();
  }
}
