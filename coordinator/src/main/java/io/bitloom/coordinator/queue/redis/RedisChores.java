package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.redis.RedisConnection;
import io.lettuce.core.ZAddArgs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** Lists of jobs with claims, and what jobs keep of how far these are. */
public final class RedisChores implements Chores {

  private static final int DONE = -1;

  private final RedisConnection redis;
  private final IndexCalls index;
  private final Keys keys;

  public RedisChores(RedisConnection redis, Keys keys) {
    this.redis = redis;
    this.index = new IndexCalls(redis, keys);
    this.keys = keys;
  }

  @Override
  public CompletionStage<Void> add(Kind kind, String jobId) {
    byte[] job = jobId.getBytes(StandardCharsets.UTF_8);
    return redis
        .call(r -> r.zadd(keys.chores(kind), ZAddArgs.Builder.nx(), 0, job))
        .thenApply(added -> null);
  }

  @Override
  public CompletionStage<List<Claim>> takeOn(Kind kind, int most, Duration lasts) {
    return index
        .run(Script.TAKE_ON, lists(kind), new Arguments().add(most).add(lasts))
        .thenApply(
            reply -> {
              List<Claim> claims = new ArrayList<>();
              while (reply.hasNext()) {
                claims.add(new Claim(kind, reply.nextString(), reply.nextLong()));
              }
              return claims;
            });
  }

  private String[] lists(Kind kind) {
    return new String[] {keys.chores(kind), keys.claims(kind)};
  }

  @Override
  public CompletionStage<Boolean> keep(Claim claim, Duration lasts) {
    return keep(claim, lasts.toMillis());
  }

  @Override
  public CompletionStage<Void> giveBack(Claim claim, Duration after) {
    return keep(claim, after.toMillis()).thenApply(kept -> null);
  }

  @Override
  public CompletionStage<Void> done(Claim claim) {
    return keep(claim, DONE).thenApply(kept -> null);
  }

  private CompletionStage<Boolean> keep(Claim claim, long millis) {
    Arguments arguments = new Arguments().add(claim.jobId()).add(claim.token()).add(millis);
    return index.run(Script.KEEP, lists(claim.kind()), arguments).thenApply(Reply::nextFlag);
  }

  @Override
  public CompletionStage<Optional<Progress>> begin(Claim claim) {
    return note(claim, "", ByteString.EMPTY, false);
  }

  @Override
  public CompletionStage<Optional<Progress>> note(Claim claim, String place, ByteString told) {
    return note(claim, place, told, false);
  }

  @Override
  public CompletionStage<Optional<Progress>> refuse(Claim claim, String place, ByteString told) {
    return note(claim, place, told, true);
  }

  private CompletionStage<Optional<Progress>> note(
      Claim claim, String place, ByteString told, boolean refused) {
    Arguments arguments =
        new Arguments()
            .add(keys.jobChannel(claim.jobId()))
            .add(claim.kind().name().toLowerCase(Locale.ROOT))
            .add(claim.token())
            .add(place)
            .add(told)
            .add(refused ? 1 : 0);
    return redis
        .eval(Script.NOTE.lua(), keys.job(claim.jobId()), arguments.toArray())
        .thenApply(Reply::new)
        .thenApply(
            reply ->
                reply.nextFlag()
                    ? Optional.of(
                        new Progress(
                            JobScripts.state(reply.nextString()).orElseThrow(),
                            Optional.ofNullable(reply.nextString()).orElse(""),
                            reply.nextBytesIfThere()))
                    : Optional.empty());
  }
}
