package io.bitloom.coordinator.redis;

import io.bitloom.coordinator.redis.RedisFinding.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a Redis must be like, and what it should be like, to be trusted with jobs: {@code
 * docs/reference/redis.md} has the table.
 */
final class RedisRules {

  private static final String UNKNOWN = "unknown";
  private static final String SLOTS = "16384";
  private static final Pattern VERSION = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})(\\D.*)?");

  private final RedisServerReport report;
  private final List<RedisFinding> findings = new ArrayList<>();

  private RedisRules(RedisServerReport report) {
    this.report = report;
  }

  /**
   * What is wrong with a server.
   *
   * @param cluster whether it is used as a node of a cluster
   * @param replicas that must have what is acknowledged
   */
  static List<RedisFinding> judge(RedisServerReport report, boolean cluster, int replicas) {
    RedisRules rules = new RedisRules(report);
    if (report.field("redis_mode").equals(Optional.of("sentinel"))) {
      rules.refuse(
          "redis_mode", "sentinel", "must not be that of a sentinel: use redis-sentinel://…#NAME");
      return rules.findings;
    }
    rules.version();
    rules.role();
    if (!cluster && report.field("cluster_enabled").equals(Optional.of("1"))) {
      rules.refuse(
          "cluster_enabled", "1", "must be 0, or the URI must begin with redis-cluster://");
    }
    rules.eviction();
    rules.persistence();
    rules.replicas(replicas);
    return rules.findings;
  }

  /**
   * What is wrong with a cluster as one of its servers sees it.
   *
   * @param info fields of CLUSTER INFO
   */
  static List<RedisFinding> judgeCluster(String node, Map<String, String> info) {
    RedisRules rules = new RedisRules(new RedisServerReport(node, info, Map.of()));
    for (String slots : List.of("cluster_slots_assigned", "cluster_slots_ok")) {
      String found = info.getOrDefault(slots, UNKNOWN);
      if (!found.equals(SLOTS)) {
        rules.find(
            slots.equals("cluster_slots_ok") ? Weight.FAILOVER : Weight.REFUSED,
            slots,
            found,
            "must be " + SLOTS + ", else some jobs have no place");
        return rules.findings;
      }
    }
    return rules.findings;
  }

  /** A server of a cluster that has slots and does not answer. */
  static RedisFinding missing(String node) {
    return new RedisFinding(
        Weight.FAILOVER, node, "INFO", "no answer", "must be answered, since the server has slots");
  }

  private void version() {
    String found = report.field("redis_version").orElse(UNKNOWN);
    Matcher version = VERSION.matcher(found);
    if (!version.matches()) {
      warn("redis_version", found, "cannot be read here; it must be 6.2 or later");
    } else if (Integer.parseInt(version.group(1)) * 10_000 + Integer.parseInt(version.group(2))
        < 6 * 10_000 + 2) {
      refuse("redis_version", found, "must be 6.2 or later");
    }
  }

  private void role() {
    if (report.field("role").equals(Optional.of("slave"))) {
      refuse("role", "replica", "must be that of a primary: a replica takes no jobs");
    }
  }

  /** They may come back at any time, so that a coordinator has to be able to wait for them. */
  private void replicas(int wanted) {
    String found = report.field("connected_slaves").orElse(UNKNOWN);
    if (wanted > 0 && (found.equals(UNKNOWN) || Integer.parseInt(found) < wanted)) {
      warn(
          "connected_slaves",
          found,
          "should be " + wanted + " or more (redis-replicas), else nothing is acknowledged");
    }
  }

  private void eviction() {
    String policy = report.parameter("maxmemory-policy").orElse(UNKNOWN);
    boolean limited = !report.parameter("maxmemory").equals(Optional.of("0"));
    if (policy.equals(UNKNOWN)) {
      warn("maxmemory-policy", policy, "cannot be read here; it must be noeviction");
    } else if (limited && policy.startsWith("allkeys-")) {
      refuse(
          "maxmemory-policy",
          policy,
          "must be noeviction, else jobs are thrown away when Redis is full");
    }
  }

  private void persistence() {
    String appendOnly = report.parameter("appendonly").or(this::aofEnabled).orElse(UNKNOWN);
    if (appendOnly.equals("yes")) {
      synced();
    } else if (appendOnly.equals(UNKNOWN)) {
      warn("appendonly", UNKNOWN, "cannot be read here; it should be yes, else jobs may be lost");
    } else {
      String snapshots = report.parameter("save").orElse(UNKNOWN);
      warn(
          "appendonly",
          "no",
          snapshots.isEmpty()
              ? "should be yes: nothing is kept on disk, and with the server all jobs are lost"
              : "should be yes, else a crash loses what came after the last snapshot");
    }
  }

  private Optional<String> aofEnabled() {
    return report.field("aof_enabled").map(enabled -> enabled.equals("1") ? "yes" : "no");
  }

  private void synced() {
    String policy = report.parameter("appendfsync").orElse(UNKNOWN);
    if (policy.equals("no")) {
      warn(
          "appendfsync",
          policy,
          "should be always or everysec, else half a minute of acknowledged jobs may be lost");
    } else if (policy.equals(UNKNOWN)) {
      warn("appendfsync", policy, "cannot be read here; it should be always or everysec");
    }
  }

  private void refuse(String setting, String found, String wanted) {
    find(Weight.REFUSED, setting, found, wanted);
  }

  private void warn(String setting, String found, String wanted) {
    find(Weight.WARNED, setting, found, wanted);
  }

  private void find(Weight weight, String setting, String found, String wanted) {
    findings.add(new RedisFinding(weight, report.node(), setting, found, wanted));
  }
}
