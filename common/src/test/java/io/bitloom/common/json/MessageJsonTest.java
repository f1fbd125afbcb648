package io.bitloom.common.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.bitloom.v1.BucketStatus;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.TrainingPoint;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageJsonTest {

  @Test
  void aJobHasShortStatesNumbersAndTimesInUtc() {
    Job job =
        Job.newBuilder()
            .setName("jobs/1")
            .setState(JobState.JOB_STATE_PARTIALLY_SUCCEEDED)
            .putLabels("team", "art")
            .setCounts(JobCounts.newBuilder().setAppended(9_007_199_254_740_993L))
            .setCreateTime(Timestamp.newBuilder().setSeconds(1_800_000_000L).setNanos(5_000_000))
            .build();

    JsonObject json = MessageJson.of(job);

    assertEquals("PARTIALLY_SUCCEEDED", json.get("state").getAsString());
    assertEquals(
        JsonParser.parseString(
            "{\"appended\":9007199254740993,\"queued\":0,\"running\":0,\"succeeded\":0,"
                + "\"failed\":0,\"cancelled\":0,\"retried\":0,\"images\":0,\"images_drawn\":0}"),
        JsonParser.parseString(json.get("counts").toString()));
    assertEquals("2027-01-15T08:00:00.005Z", json.get("create_time").getAsString());
    assertEquals("{\"team\":\"art\"}", json.get("labels").toString());
    assertEquals("", json.get("display_name").getAsString());
    assertFalse(json.has("end_time"), "a time that is not there");
    assertFalse(json.has("queue_position"), "a number that is not there");
  }

  @Test
  void theOtherTypesAreAsProtobufWritesThem() {
    BucketStatus bucket =
        BucketStatus.newBuilder().setOldest(Duration.newBuilder().setSeconds(3)).build();
    assertEquals("3s", MessageJson.of(bucket).get("oldest").getAsString());
    GeneratedImage image =
        GeneratedImage.newBuilder()
            .setFormat(ImageFormat.IMAGE_FORMAT_WEBP_LOSSLESS)
            .setSha256(ByteString.copyFrom(new byte[] {1, 2}))
            .build();
    assertEquals("WEBP_LOSSLESS", MessageJson.of(image).get("format").getAsString());
    assertEquals("AQI=", MessageJson.of(image).get("sha256").getAsString());
    TrainingPoint point = TrainingPoint.newBuilder().setLoss(Double.NaN).build();
    assertEquals("{\"step\":0,\"loss\":\"NaN\"}", MessageJson.of(point).toString());
    Prompt strange = Prompt.newBuilder().setFormatValue(99).build();
    assertEquals(
        "UNKNOWN_ENUM_VALUE_ImageFormat_99", MessageJson.of(strange).get("format").getAsString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "partially_succeeded",
        "partially-succeeded",
        "PARTIALLY_SUCCEEDED",
        "job_state_partially_succeeded",
        "JOB_STATE_PARTIALLY_SUCCEEDED"
      })
  void aStateIsFoundHoweverItIsWritten(String text) {
    assertEquals(
        Optional.of(JobState.JOB_STATE_PARTIALLY_SUCCEEDED), EnumNames.find(JobState.class, text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "done", "unspecified", "UNRECOGNIZED", "JOB_STATE_", "job state"})
  void whatIsNoStateIsNotFound(String text) {
    assertEquals(Optional.empty(), EnumNames.find(JobState.class, text));
  }
}
