package io.bitloom.common.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.UpdateJobRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageReaderTest {

  private static CreateJobRequest read(String json) {
    CreateJobRequest.Builder request = CreateJobRequest.newBuilder();
    MessageReader.read(json, request);
    return request.build();
  }

  private static BitloomException error(String json) {
    return assertThrows(BitloomException.class, () -> read(json));
  }

  @Test
  void whatIsWrittenIsReadAgain() {
    Job job =
        Job.newBuilder()
            .setName("jobs/ö \"1\"")
            .setState(JobState.JOB_STATE_PARTIALLY_SUCCEEDED)
            .setDefaults(
                Prompt.newBuilder()
                    .setSeed(9_007_199_254_740_993L)
                    .setHDivW(0.1)
                    .setFormat(ImageFormat.IMAGE_FORMAT_WEBP_LOSSLESS)
                    .setSampling(Sampling.newBuilder().addGuidance(1.5).addGuidanceLayers(-2)))
            .putLabels("team", "art")
            .putLabels("", "empty")
            .setCompletionWindow(Duration.newBuilder().setSeconds(90).setNanos(500_000_000))
            .setCreateTime(Timestamp.newBuilder().setSeconds(1_800_000_000L).setNanos(5_000_000))
            .build();
    Job.Builder read = Job.newBuilder();
    MessageReader.read(MessageJson.of(job).toString(), read);
    assertEquals(job, read.build());

    GeneratedImage image =
        GeneratedImage.newBuilder().setData(ByteString.copyFrom(new byte[] {-1, 0, 62})).build();
    GeneratedImage.Builder readImage = GeneratedImage.newBuilder();
    MessageReader.read(MessageJson.of(image).toString(), readImage);
    assertEquals(image, readImage.build());
  }

  @Test
  void protobufsOwnJsonIsReadToo() {
    assertEquals(
        Job.newBuilder()
            .setDisplayName("a")
            .setPriority(3)
            .setDefaults(Prompt.newBuilder().setSeed(12).setFormat(ImageFormat.IMAGE_FORMAT_JPEG))
            .build(),
        read("{\"job\":{\"displayName\":\"a\",\"priority\":3.0,\"labels\":null,\"defaults\":"
                + "{\"seed\":\"12\",\"format\":\"IMAGE_FORMAT_JPEG\"}}}")
            .getJob());
    UpdateJobRequest.Builder update = UpdateJobRequest.newBuilder();
    MessageReader.read("{\"update_mask\":\"display_name,labels\"}", update);
    assertEquals(2, update.getUpdateMask().getPathsCount());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "{'what':1} | what | ",
        "{'job':{'defaults':{'sampling':{'cfg':1}}}} | job.defaults.sampling.cfg | ",
        "{'request_id':'a','requestId':'b'} | request_id | ",
        "{'request_id':7} | request_id | 7",
        "{'job':[]} | job | […]",
        "{'job':{'priority':true}} | job.priority | true",
        "{'job':{'priority':1.5}} | job.priority | 1.5",
        "{'job':{'priority':3000000000}} | job.priority | 3000000000",
        "{'job':{'priority':1e999999999}} | job.priority | 1e999999999",
        "{'job':{'state':'DONE'}} | job.state | DONE",
        "{'job':{'labels':{'a':1}}} | job.labels.a | 1",
        "{'job':{'labels':{'a':'1','a':'2'}}} | job.labels.a | ",
        "{'job':{'completion_window':'soon'}} | job.completion_window | soon",
        "{'job':{'defaults':{'aspect_ratio':'1:1','h_div_w':1}}} | job.defaults.h_div_w | ",
        "{'job':{'defaults':{'sampling':{'guidance':[1,'x']}}}} | job.defaults.sampling.guidance[1] | x",
        "{'job':{'defaults':{'sampling':{'guidance':3}}}} | job.defaults.sampling.guidance | 3"
      })
  void aWrongFieldIsNamed(String json, String field, String value) {
    BitloomException error = error(json.replace('\'', '"'));
    assertEquals(ErrorCode.INVALID_FIELD, error.code(), error.getMessage());
    assertEquals(field, error.violations().get(0).field());
    assertEquals(value == null ? "" : value, error.violations().get(0).value());
  }

  @Test
  void halfASurrogatePairIsRefused() {
    assertEquals("request_id", error("{\"request_id\":\"\\ud83d\"}").violations().get(0).field());
    assertEquals("😀", read("{\"request_id\":\"\\ud83d\\ude00\"}").getRequestId());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "1",
        "{",
        "{\"job\":",
        "{\"job\":{}} x",
        "{'job':{}}",
        "{job:{}}",
        "{\"job\":{},}",
        "{\"request_id\":\"a\nb\"}",
        "{\"job\":{\"priority\":NaN}}",
        "{\"request_id\":\"\\x\"}"
      })
  void whatIsNoJsonIsMalformed(String json) {
    assertEquals(ErrorCode.MALFORMED_MESSAGE, error(json).code());
  }

  @Test
  void depthHasALimit() {
    String deep = "{\"job\":".repeat(100_000);
    assertEquals("job.job", error(deep).violations().get(0).field());
    assertEquals(ErrorCode.MALFORMED_MESSAGE, error("[".repeat(100_000)).code());
    assertEquals(
        "job.labels.a",
        error("{\"job\":{\"labels\":{\"a\":" + "[".repeat(100_000)).violations().get(0).field());
  }
}
