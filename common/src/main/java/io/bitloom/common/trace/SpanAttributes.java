package io.bitloom.common.trace;

/**
 * Names of attributes. Those without {@code bitloom} are of OpenTelemetry's semantic conventions
 * for messaging, generative models and RPC, which are in development: they stand here and nowhere
 * else.
 */
public final class SpanAttributes {

  // https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans
  public static final String SYSTEM = "messaging.system";
  public static final String OPERATION = "messaging.operation.name";
  public static final String OPERATION_TYPE = "messaging.operation.type";
  public static final String DESTINATION = "messaging.destination.name";
  public static final String BATCH_COUNT = "messaging.batch.message_count";

  // https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans
  public static final String GENAI_OPERATION = "gen_ai.operation.name";
  public static final String GENAI_PROVIDER = "gen_ai.provider.name";
  public static final String MODEL = "gen_ai.request.model";
  public static final String SEED = "gen_ai.request.seed";
  public static final String CHOICES = "gen_ai.request.choice.count";
  public static final String OUTPUT_TYPE = "gen_ai.output.type";

  // https://opentelemetry.io/docs/specs/semconv/rpc/grpc
  public static final String RPC_SYSTEM = "rpc.system.name";
  public static final String RPC_METHOD = "rpc.method";
  public static final String RPC_STATUS = "rpc.status_code";

  // https://opentelemetry.io/docs/specs/semconv/attributes-registry/error
  public static final String ERROR_TYPE = "error.type";

  /** Resource name of the job. */
  public static final String JOB = "bitloom.job";

  /** Place of the prompt in its job, from 0. */
  public static final String OFFSET = "bitloom.offset";

  public static final String SCHEDULE = "bitloom.schedule";
  public static final String LEASE = "bitloom.lease";
  public static final String WORKER = "bitloom.worker";

  /** 1 on the first try. */
  public static final String ATTEMPT = "bitloom.attempt";

  /** Images of a batch. */
  public static final String IMAGES = "bitloom.images";

  /** Tokens of an image at one scale. */
  public static final String TOKENS = "bitloom.tokens";

  /** Height and width of a scale in tokens: {@code 4x4}. */
  public static final String SIZE = "bitloom.size";

  /** Bytes of image files. */
  public static final String BYTES = "bitloom.bytes";

  /** What became of an outcome: {@code committed}, {@code retried} or {@code superseded}. */
  public static final String VERDICT = "bitloom.verdict";

  /** Where images go: {@code store} or {@code coordinator}. */
  public static final String TARGET = "bitloom.target";

  private SpanAttributes() {}
}
