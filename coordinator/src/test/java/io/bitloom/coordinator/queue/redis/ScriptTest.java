package io.bitloom.coordinator.queue.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.Chores;
import io.lettuce.core.cluster.SlotHash;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScriptTest {

  private static final List<String> HOSTILE = List.of("a", "}{", "{x}", "ü🦊", "", ":", "a}b");

  @ParameterizedTest
  @EnumSource(Script.class)
  void everyKeyOfAScriptIsInOneSlotOfACluster(Script script) {
    for (String name : HOSTILE) {
      Keys keys = new Keys("name{space}" + name);
      List<String> ofScript =
          switch (script.tag()) {
            case JOB -> Arrays.asList(keys.job(name));
            case BUCKET -> Arrays.asList(keys.bucket(new Bucket(name, name)));
            case INDEX ->
                List.of(
                    keys.jobs(),
                    keys.jobsOf(name),
                    keys.activeJobs(),
                    keys.deadlines(),
                    keys.endedJobs(),
                    keys.openJobsOf(name),
                    keys.fleetingJobs(),
                    keys.ledger(),
                    keys.useOf(name),
                    keys.sweeper(),
                    keys.hooks(),
                    keys.hookClaims(),
                    keys.chores(Chores.Kind.INPUT),
                    keys.claims(Chores.Kind.OUTPUT),
                    keys.states(),
                    keys.modelsSeen(),
                    keys.workers(),
                    keys.speeds(),
                    keys.poolSpeeds(),
                    keys.pools(),
                    keys.servingOf(name),
                    keys.models(),
                    keys.dataVersion(),
                    keys.epoch());
          };
      assertEquals(
          1, ofScript.stream().map(SlotHash::getSlot).distinct().count(), ofScript.toString());
    }
  }

  @ParameterizedTest
  @EnumSource(Script.class)
  void aScriptTouchesNoKeyButThoseItIsGiven(Script script) {
    String text = script.lua().text();
    String names =
        switch (script.tag()) {
          case JOB -> "job|appends|prompts|buckets|running|done|results|failures|KEYS\\[1]";
          case BUCKET -> "flows|runs|ready|tenants|retry|leases|held|meta|lines|KEYS\\[1]";
          case INDEX -> "KEYS\\[(\\d+|c|k|k \\+ 1)]";
        };
    // Calls name their key first; calls with many arguments are put together in a table.
    List<String> touched =
        Pattern.compile("(?:redis\\.call\\(|\\{)'([A-Z]+)'(?:, '?([\\w\\[\\]]+)'?)?")
            .matcher(text)
            .results()
            .filter(call -> !List.of("TIME", "PUBLISH").contains(call.group(1)))
            .filter(call -> call.group(1).length() > 1)
            .map(MatchResult::group)
            .toList();
    assertFalse(touched.isEmpty());
    assertEquals(
        List.of(),
        touched.stream()
            .filter(call -> !call.matches("(?s).*, '?(" + names + ")'?"))
            .collect(Collectors.toList()));
  }

  @ParameterizedTest
  @EnumSource(Script.class)
  void aScriptSaysWhatItTakesAndReplies(Script script) {
    String text = script.lua().text();
    for (String word : List.of("\n-- KEYS   ", "\n-- ARGV   ", "\n-- Reply  ")) {
      assertTrue(("\n" + text).contains(word), script + " lacks" + word);
    }
    assertFalse(text.contains("@include"), "an unknown fragment");
  }

  @Test
  void jobsAndBucketsDoNotShareATag() {
    Keys keys = new Keys("bitloom");
    assertEquals("bitloom:{j:x}:job", keys.job("x")[0]);
    assertEquals("bitloom:{b:m:s}:flows", keys.bucket(new Bucket("m", "s"))[0]);
    assertEquals(new Bucket("m:{}", "s%"), Keys.bucketOf(Keys.id(new Bucket("m:{}", "s%"))));
  }
}
