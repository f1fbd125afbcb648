package io.bitloom.worker.session;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeasedPrompts;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptGroup;
import io.bitloom.v1.PromptRun;
import io.bitloom.v1.Sampling;
import io.bitloom.v1.TaskRef;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Leases as a coordinator gives them out, every default filled in. */
final class Leases {
  static final long FENCING_TOKEN = 42;
  static final String SECRET = "AAAAAAAAAAAAAAAAAAAAAA";

  private Leases() {}

  static Prompt prompt(String schedule, long seed) {
    ScaleSchedule found = ScaleSchedules.find(schedule).orElseThrow();
    return Prompt.newBuilder()
        .setCustomId("prompt-" + seed)
        .setPrompt("a red fox")
        .setHDivW(Double.parseDouble(found.template()))
        .setSize(found.size().label())
        .setSeed(seed)
        .setSampling(Sampling.newBuilder().addGuidance(3).addTemperature(1).setTopP(0.97))
        .setNumImages(1)
        .setFormat(ImageFormat.IMAGE_FORMAT_PNG)
        .build();
  }

  /** Names a prompt of {@link #lease}. */
  static TaskRef ref(String leaseId, long offset) {
    return TaskRef.newBuilder().setJob("jobs/" + leaseId).setOffset(offset).build();
  }

  /** The prompts of job {@code jobs/<leaseId>} from offset 0. */
  static Lease lease(String leaseId, String schedule, Prompt... prompts) {
    return Lease.newBuilder()
        .setLeaseId(leaseId)
        .setFencingToken(FENCING_TOKEN)
        .setSecret(SECRET)
        .setModel("untrained")
        .setSchedule(schedule)
        .addPrompts(prompts("jobs/" + leaseId, 0, prompts))
        .build();
  }

  /** Prompts of a job that follow each other, as one group. */
  static LeasedPrompts prompts(String job, long first, Prompt... prompts) {
    return LeasedPrompts.newBuilder()
        .setJob(job)
        .addRuns(PromptRun.newBuilder().setFirst(first).setCount(prompts.length).setAttempt(1))
        .addGroups(PromptGroup.newBuilder().setFirst(first).setPrompts(packed(prompts)))
        .build();
  }

  private static ByteString packed(Prompt... prompts) {
    ByteString.Output bytes = ByteString.newOutput();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      for (int i = 0; i < prompts.length; i++) {
        out.writeUInt64NoTag(i);
        out.writeByteArrayNoTag(prompts[i].toByteArray());
      }
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteString();
  }

  /** One prompt that keeps the device busy for a while. */
  static Lease longLease(String leaseId) {
    Prompt prompt = prompt("1.0_0.25M", 1).toBuilder().setNumImages(2).build();
    return lease(leaseId, "1.0_0.25M", prompt);
  }
}
