package io.bitloom.coordinator.queue.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.LeaseRef;
import io.bitloom.coordinator.queue.TaskRef;
import io.lettuce.core.cluster.SlotHash;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SpreadTest {

  private static final Spread SPREAD = new Spread(8);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 64})
  void everyPlaceOfAJobIsOnePlaceOfAPart(int parts) {
    Set<TaskRef> places = new HashSet<>();
    long[] next = new long[parts];
    for (long offset = 0; offset < 2000; offset++) {
      TaskRef inPart = SPREAD.inPart(new TaskRef("job", offset), parts);
      assertTrue(places.add(inPart));
      assertEquals(new TaskRef("job", offset), SPREAD.inJob(inPart, parts));
      int number = JobPart.parse(inPart.jobId()).number();
      assertEquals(next[number]++, inPart.offset(), "places in a part have no gap");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 6, 16, 64})
  void partsOfAJobAndShardsOfABucketLieApart(int of) {
    Keys keys = new Keys("test");
    for (String name : new String[] {"one", "two", "böse {namen}"}) {
      Set<Integer> ofJob =
          IntStream.range(0, of)
              .map(n -> range(keys.jobHash(new JobPart(name, n, of).id()), of))
              .boxed()
              .collect(Collectors.toSet());
      assertEquals(of, ofJob.size());
      Set<Integer> ofBucket =
          IntStream.range(0, of)
              .map(n -> range(keys.bucket(new Bucket(name, "s", new Bucket.Shard(n, of)))[0], of))
              .boxed()
              .collect(Collectors.toSet());
      assertEquals(of, ofBucket.size());
    }
  }

  private static int range(String key, int of) {
    return SlotHash.getSlot(key) * of / SlotHash.SLOT_COUNT;
  }

  @Test
  void allKeysOfAPartAreInOneSlot() {
    String[] all = new Keys("test").job(new JobPart("job", 3, 4).id());
    for (String key : all) {
      assertEquals(SlotHash.getSlot(all[0]), SlotHash.getSlot(key));
    }
  }

  @Test
  void partsOfAJobAreInShardsOfTheirOwn() {
    for (String job : new String[] {"a", "b", "c", "zzz"}) {
      Set<Bucket.Shard> shards =
          IntStream.range(0, 6)
              .mapToObj(n -> Spread.shard(new JobPart(job, n, 6)))
              .collect(Collectors.toSet());
      assertEquals(6, shards.size());
    }
  }

  @Test
  void aShardIsPartOfTheNamesOfBucketAndLease() {
    Bucket bucket = new Bucket("a:b", "1.0_0.06M", new Bucket.Shard(3, 16));
    assertEquals(bucket, Keys.bucketOf(Keys.id(bucket)));
    LeaseRef lease = new LeaseRef(bucket, 17, Secret.NONE);
    assertEquals(lease, LeaseRef.parse(lease.id(), Secret.NONE));
    assertEquals(lease, Keys.leaseOf(Keys.holder(lease)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"m:s:0:0:1", "m:s:2:2:1", "m:s:-1:4:1", "m:s:1:100000:1", "m:s:1:1"})
  void aLeaseOfNoShardIsNone(String id) {
    assertThrows(IllegalArgumentException.class, () -> LeaseRef.parse(id, Secret.NONE));
  }
}
