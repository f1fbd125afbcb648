package io.bitloom.coordinator.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What no server that runs here can show; the others are in {@link RedisAsFoundIT}. */
class RedisRulesTest {

  private static List<RedisFinding> ofVersion(String version) {
    String info =
        "# Server\r\nredis_version:"
            + version
            + "\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory:0\r\n"
            + "maxmemory_policy:noeviction\r\naof_enabled:1\r\n";
    return RedisRules.judge(
        new RedisServerReport(
            "here", RedisServerReport.fields(info), Map.of("appendfsync", "always")),
        false,
        0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"2.8.24", "5.0.7", "6.0.16", "6.1.240"})
  void anOldVersionIsRefusedByName(String version) {
    List<RedisFinding> found = ofVersion(version);
    assertEquals(1, found.size());
    assertTrue(found.get(0).refused());
    assertEquals(
        "redis at here: redis_version must be 6.2 or later, not \"" + version + "\"",
        found.get(0).refusal().getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"6.2.0", "7.0.15", "7.2.4-rc1", "10.0"})
  void aNewOneIsNot(String version) {
    assertEquals(List.of(), ofVersion(version));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "seven", "99999999999.1", "6"})
  void oneThatCannotBeReadIsWarnedOf(String version) {
    List<RedisFinding> found = ofVersion(version);
    assertEquals(1, found.size());
    assertEquals(false, found.get(0).refused());
  }

  @Test
  void aServerOfWhichNothingMayBeReadIsWarnedOf() {
    List<RedisFinding> found =
        RedisRules.judge(new RedisServerReport("here", Map.of(), Map.of()), false, 0);
    assertEquals(
        List.of("redis_version", "maxmemory-policy", "appendonly"),
        found.stream().map(RedisFinding::setting).toList());
    assertTrue(found.stream().noneMatch(RedisFinding::refused));
  }

  @ParameterizedTest
  @CsvSource({"16383, 16383", "0, 0", "16384, 10923"})
  void aClusterThatDoesNotCoverAllSlotsIsRefused(String assigned, String ok) {
    List<RedisFinding> found =
        RedisRules.judgeCluster(
            "here", Map.of("cluster_slots_assigned", assigned, "cluster_slots_ok", ok));
    assertEquals(1, found.size());
    assertTrue(found.get(0).refused());
    assertTrue(found.get(0).setting().startsWith("cluster_slots_"));
  }

  @ParameterizedTest
  @CsvSource({"0, 0, false", "0, 1, true", "1, 1, false", "1, 2, true", "3, 2, false"})
  void aServerWithTooFewReplicasIsWarnedOf(String found, int wanted, boolean warned) {
    RedisServerReport report =
        new RedisServerReport("here", Map.of("connected_slaves", found), Map.of());
    List<RedisFinding> all = RedisRules.judge(report, false, wanted);
    assertEquals(
        warned, all.stream().anyMatch(finding -> finding.setting().equals("connected_slaves")));
    assertTrue(all.stream().noneMatch(RedisFinding::refused));
  }
}
