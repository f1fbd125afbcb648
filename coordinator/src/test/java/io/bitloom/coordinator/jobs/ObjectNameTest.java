package io.bitloom.coordinator.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.config.InputConfig;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ObjectNameTest {

  @Test
  void aNameHasABucketAndAKey() {
    assertEquals(
        Optional.of(new ObjectName("bucket", "a b/\u8a9e?x=1#y.jsonl")),
        ObjectName.parse("s3://bucket/a b/\u8a9e?x=1#y.jsonl"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "bucket/key",
        "S3://bucket/key",
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "s3://b/key",
        "s3://u@bucket/key",
        "s3://bucket:1/key",
        "s3://bucket/../key",
        "s3://bucket/a/./key",
        "s3://bucket/a/..",
        "s3://bucket//key",
        "s3://bucket/a//key",
        "s3://bucket/key/",
        "s3://bucket/a\nkey"
      })
  void whatCouldBeTakenForAnotherObjectIsNoName(String uri) {
    assertEquals(Optional.empty(), ObjectName.parse(uri));
  }

  @Test
  void aPrefixEndsAtASlashAndIsThatOfTheTenant() {
    InputConfig.Place place = InputConfig.place("s3://bucket/in/{tenant}");
    assertTrue(place.has("art", "bucket", "in/art/x"));
    assertFalse(place.has("art", "bucket", "in/artists/x"));
    assertFalse(place.has("art", "bucket", "in/other/x"));
    assertFalse(place.has("art", "other", "in/art/x"));
    assertFalse(place.has("art", "bucket", "in/{tenant}/x"));
    assertTrue(InputConfig.place("s3://bucket").has("art", "bucket", "x"));
  }
}
