package io.bitloom.coordinator.chores;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.prompt.CustomIds;
import io.bitloom.common.prompt.PromptContent;
import io.bitloom.common.prompt.PromptFileException;
import io.bitloom.common.prompt.PromptLineReader;
import io.bitloom.coordinator.jobs.InputRules;
import io.bitloom.coordinator.jobs.ObjectName;
import io.bitloom.coordinator.jobs.PromptIntake;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobStore;
import io.bitloom.v1.InputPhase;
import io.bitloom.v1.JobInput;
import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Reads the prompts of one job from an object: once to check all lines, then once more to append
 * them, from where whoever did it before came to. Appends name their offset, so that prompts which
 * are there already are not appended again, whoever is late with them.
 */
final class InputReading {

  /** A name of each custom_id is kept while they are checked, 12 to 24 bytes. */
  private static final long MAX_PROMPTS = 10_000_000;

  private static final int CHUNK_PROMPTS = 512;
  private static final int CHUNK_BYTES = 1 << 20;

  private final Hold hold;
  private final S3Client s3;
  private final InputRules rules;
  private final JobStore jobs;
  private final InputTelling telling;
  private final JobRecord job;
  private final JobInput input;
  private final PromptIntake intake;

  /**
   * @param input of the job
   * @param intake of the job
   * @param telling of how far it is
   */
  InputReading(
      Hold hold,
      S3Client s3,
      InputRules rules,
      JobStore jobs,
      JobRecord job,
      JobInput input,
      PromptIntake intake,
      InputTelling telling) {
    this.hold = hold;
    this.s3 = s3;
    this.rules = rules;
    this.jobs = jobs;
    this.telling = telling;
    this.job = job;
    this.input = input;
    this.intake = intake;
  }

  /**
   * Reads to the end. Returns when the job is sealed, or refused, or takes no more prompts.
   *
   * @param from where to go on
   */
  void run(InputPlace from) {
    try {
      if (from.step() != InputPlace.Step.REFUSE) {
        rules.check(job.tenant(), input);
        append(from.step() == InputPlace.Step.CHECK ? checked() : from);
        return;
      }
    } catch (BitloomException e) {
      if (e.code() == ErrorCode.JOB_NOT_ACCEPTING) {
        return;
      }
      if (e.code() == ErrorCode.JOB_NOT_FOUND || e.code() == ErrorCode.OFFSET_OUT_OF_RANGE) {
        throw e; // gone; or what was appended is gone
      }
      telling.refuse(e.getMessage());
    } catch (PromptFileException e) {
      telling.refuse(e.getMessage());
    } catch (IOException e) {
      telling.refuse(input.getUri() + ": cannot be read: " + e.getMessage());
    }
    hold.patiently(() -> jobs.cancel(job.id()), ignored -> {});
  }

  private ObjectBytes open(String tag) throws IOException {
    ObjectName name = InputRules.object(input);
    ObjectBytes object = ObjectBytes.open(s3, name, tag, hold, telling::obstacle);
    if (object.size() > rules.mostBytes()) {
      throw refused("has " + object.size() + " bytes, more than " + rules.mostBytes());
    }
    return object;
  }

  private PromptFileException refused(String why) {
    return new PromptFileException(input.getUri(), why);
  }

  private PromptLineReader reader(
      ObjectBytes object, CustomIds customIds, Consumer<PromptLineReader.BadLine> badLines)
      throws IOException {
    PromptContent text = rules.text(input);
    return new PromptLineReader(
        text.name(), text.open(object), text.format().syntax(), customIds, intake::check, badLines);
  }

  /** Looks at every line, and says where appending begins. */
  private InputPlace checked() throws IOException {
    ObjectBytes object = open("");
    telling.begin(InputPhase.INPUT_PHASE_CHECKING, InputPlace.START, object);
    long prompts = 0;
    try (PromptLineReader reader = reader(object, new CustomIds(), telling::badLine)) {
      while (reader.next() != null) {
        if (++prompts > MAX_PROMPTS) {
          throw refused("has more than " + MAX_PROMPTS + " prompts");
        }
        if (prompts % CHUNK_PROMPTS == 0) {
          hold.check();
          telling.at(InputPlace.START, object.position(), prompts);
        }
      }
    }
    telling.at(InputPlace.START, object.position(), prompts);
    if (telling.badLines() > 0) {
      throw refused("has bad lines (" + telling.badLines() + "); nothing was queued");
    }
    if (prompts == 0) {
      throw refused("has no prompts");
    }
    return InputPlace.append(object.tag(), prompts);
  }

  private void append(InputPlace from) throws IOException {
    ObjectBytes object = open(from.tag());
    telling.begin(InputPhase.INPUT_PHASE_APPENDING, from, object);
    Appending appending = new Appending(from, object);
    try (PromptLineReader reader = reader(object, CustomIds.known(), this::refuseLine)) {
      reader.skipTo(from.lines());
      PromptLineReader.NumberedPrompt next;
      while ((next = reader.next()) != null) {
        appending.add(next.prompt(), reader.place());
      }
      appending.send(reader.place());
      appending.settle();
    }
    hold.patiently(() -> jobs.seal(job.id(), OptionalLong.of(from.total())), telling::obstacle);
    telling.done(object.size());
  }

  /** It was good before: what the model or this coordinator takes has changed. */
  private void refuseLine(PromptLineReader.BadLine line) {
    telling.badLine(line);
    throw new BitloomException(
        ErrorCode.INVALID_FIELD, line + " (it was good when it was checked)");
  }

  /** Chunks on their way into the queue: while one is under way, the next one is read. */
  private final class Appending {

    private final ObjectBytes object;
    private List<Prompt> chunk = new ArrayList<>();
    private int chunkBytes;
    private long offset;
    private InputPlace before;
    private Optional<Chunk> underWay = Optional.empty();

    Appending(InputPlace from, ObjectBytes object) {
      this.object = object;
      this.offset = from.prompts();
      this.before = from;
    }

    /**
     * Prompts that are being appended.
     *
     * @param behind where to go on when they are there
     */
    private record Chunk(
        long offset, List<Prompt> prompts, InputPlace behind, CompletionStage<Long> stage) {}

    void add(Prompt prompt, PromptLineReader.Place behind) {
      chunk.add(prompt);
      chunkBytes += prompt.getSerializedSize();
      if (chunk.size() == CHUNK_PROMPTS || chunkBytes >= CHUNK_BYTES) {
        send(behind);
      }
    }

    void send(PromptLineReader.Place behind) {
      settle();
      hold.check();
      List<Prompt> prompts = chunk;
      long first = offset;
      offset += prompts.size();
      InputPlace next = before.at(offset, behind);
      if (!prompts.isEmpty() && offset > job.counts().appended()) {
        underWay = Optional.of(new Chunk(first, prompts, next, intake.append(first, prompts)));
      }
      before = next;
      chunk = new ArrayList<>(CHUNK_PROMPTS);
      chunkBytes = 0;
    }

    /** Waits until nothing is under way; what a limit or an outage keeps out comes again. */
    void settle() {
      if (underWay.isEmpty()) {
        return;
      }
      Chunk sent = underWay.get();
      underWay = Optional.empty();
      hold.patiently(
          sent.stage(), () -> intake.append(sent.offset(), sent.prompts()), telling::obstacle);
      telling.at(sent.behind(), object.position(), sent.behind().prompts());
    }
  }
}
