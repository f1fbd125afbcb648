package io.bitloom.common.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeasedPrompts;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptGroup;
import io.bitloom.v1.PromptRun;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The prompts of a lease of form 2 one by one, as a worker draws them. */
public final class LeasedTasks {

  private LeasedTasks() {}

  /** How many prompts a lease has. */
  public static int count(Lease lease) {
    return lease.getPromptsList().stream()
        .flatMap(prompts -> prompts.getRunsList().stream())
        .mapToInt(PromptRun::getCount)
        .sum();
  }

  /**
   * The prompts of a lease; the index of each is its place in the list.
   *
   * @throws BitloomException {@code PROTOCOL_VIOLATION} if the lease lacks one of its prompts or
   *     has what is no prompt
   */
  public static List<Task> of(Lease lease) {
    List<Task> tasks = new ArrayList<>();
    for (LeasedPrompts prompts : lease.getPromptsList()) {
      Map<Long, ByteString> byOffset = new HashMap<>();
      prompts.getGroupsList().forEach(group -> unpack(lease, group, byOffset));
      for (PromptRun run : prompts.getRunsList()) {
        for (int i = 0; i < run.getCount(); i++) {
          tasks.add(task(lease, prompts.getJob(), run, run.getFirst() + i, byOffset));
        }
      }
    }
    return tasks;
  }

  /** Names of the prompts of a lease, also of one that lacks some of them, by their indexes. */
  public static List<TaskRef> refs(Lease lease) {
    List<TaskRef> refs = new ArrayList<>();
    for (LeasedPrompts prompts : lease.getPromptsList()) {
      for (PromptRun run : prompts.getRunsList()) {
        for (int i = 0; i < run.getCount(); i++) {
          refs.add(ref(prompts.getJob(), run.getFirst() + i));
        }
      }
    }
    return refs;
  }

  private static void unpack(Lease lease, PromptGroup group, Map<Long, ByteString> byOffset) {
    CodedInputStream in = group.getPrompts().newCodedInput();
    in.enableAliasing(true);
    try {
      while (!in.isAtEnd()) {
        long offset = group.getFirst() + in.readUInt64();
        byOffset.put(offset, in.readBytes());
      }
    } catch (IOException e) {
      throw broken(lease, "a group of prompts that cannot be read: " + e.getMessage());
    }
  }

  private static Task task(
      Lease lease, String job, PromptRun run, long offset, Map<Long, ByteString> byOffset) {
    ByteString prompt = byOffset.get(offset);
    if (prompt == null) {
      throw broken(lease, "no prompt " + offset + " of " + job);
    }
    try {
      return Task.newBuilder()
          .setRef(ref(job, offset))
          .setPrompt(Prompt.parseFrom(prompt))
          .setAttempt(run.getAttempt())
          .build();
    } catch (IOException e) {
      throw broken(lease, "a prompt " + offset + " of " + job + " that cannot be read");
    }
  }

  private static TaskRef ref(String job, long offset) {
    return TaskRef.newBuilder().setJob(job).setOffset(offset).build();
  }

  private static BitloomException broken(Lease lease, String what) {
    return new BitloomException(
        ErrorCode.PROTOCOL_VIOLATION, "lease " + lease.getLeaseId() + " has " + what);
  }
}
