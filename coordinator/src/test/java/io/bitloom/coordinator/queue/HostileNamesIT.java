package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.BitloomException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostileNamesIT extends QueueFixture {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "}{",
        "{b:x}",
        "a:b",
        "line\nbreak\r\n",
        "null\0byte",
        "%3A",
        "ünïcödé 🦊",
        "*?[a-z]",
        "' or 1=1 --",
        "../../etc"
      })
  void anyTextMayNameATenantAModelAScheduleAWorkerARequestOrAPrompt(String name) {
    Bucket bucket = new Bucket("model" + name, "schedule" + name);
    String tenant = "tenant" + name;
    String jobId = await(queue.jobs().create(new NewJob(tenant, name, 1, 5, bytes(name)))).id();
    await(queue.prompts().append(jobId, 0, List.of(new NewPrompt(bucket, 1, bytes(name)))));
    await(queue.jobs().seal(jobId, OptionalLong.of(1)));

    assertEquals(Map.of(tenant, 1.0), rank(bucket).weights());
    LeasedBatch batch =
        await(queue.leases().lease(bucket, "worker" + name, 1, LEASE)).orElseThrow();
    assertEquals(bytes(name), batch.tasks().get(0).payload());
    assertEquals(batch.lease(), LeaseRef.parse(batch.lease().id(), batch.lease().secret()));
    assertEquals(
        Set.of(), await(queue.leases().renew("worker" + name, List.of(batch.lease()), LEASE)));
    await(
        queue
            .leases()
            .commit(
                batch.lease(),
                List.of(new TaskOutcome(batch.tasks().get(0).task(), true, bytes(name)))));

    assertEquals(bytes(name), results(jobId).get(0).body());
    JobPage page = await(queue.jobs().list(new JobFilter(Optional.of(tenant), Set.of()), 10, ""));
    assertEquals(List.of(jobId), page.jobs().stream().map(JobRecord::id).toList());
    assertEquals(tenant, page.jobs().get(0).tenant());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "}:job", "a:b", "x}:results{", "\n", "\0", "🦊", "%"})
  void aJobNameThatNobodyMadeIsNotFoundAndHarmsNothing(String name) {
    String jobId = sealedJob(1, SQUARE);
    LeasedBatch batch = lease(SQUARE, 1);
    TaskRef nowhere = new TaskRef(name, 0);

    assertThrows(BitloomException.class, () -> await(queue.jobs().get(name)));
    assertThrows(BitloomException.class, () -> await(queue.jobs().cancel(name)));
    assertEquals(
        List.of(TaskVerdict.SUPERSEDED),
        await(
            queue
                .leases()
                .commit(batch.lease(), List.of(new TaskOutcome(nowhere, true, bytes("x"))))));
    assertEquals(
        List.of(TaskVerdict.SUPERSEDED),
        await(queue.leases().fail(batch.lease(), List.of(new TaskFailure(nowhere, bytes("x"))))));
    await(queue.leases().release(batch.lease(), List.of(nowhere)));
    succeed(batch);
    assertEquals(1, job(jobId).counts().succeeded());
  }
}
