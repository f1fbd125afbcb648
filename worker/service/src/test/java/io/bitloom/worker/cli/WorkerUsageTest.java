package io.bitloom.worker.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.worker.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Wrong command lines of all commands that need a model. */
class WorkerUsageTest {

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "generat|did you mean generate?",
        "generate|PROMPT",
        "generate fox den|\"den\" is one word too many",
        "generate fox --model nowhere|\"nowhere\" is neither a built-in model",
        "generate fox --colour red|there is no option --colour",
        "generate fox --size 9M|--size must be one of",
        "generate fox --size 1M|--size 1M is not drawn by model demo, which draws 0.06M",
        "generate fox --threads -1|--threads must be 0 to",
        "generate fox --threads two|\"two\" is not a whole number",
        "generate fox --max-batch -1|--max-batch must be 0 to",
        "generate fox --dtype fp7|--dtype",
        "generate fox --device gpu|expected auto, cpu or cuda:N",
        "generate fox --greedy --temperature 1|--temperature has no effect with --greedy",
        "generate fox --format png --quality 3|--quality has no effect with --format=png",
        "generate fox --format webp --bare-images|--bare-images has no effect with --format=webp",
        "generate fox --out FILE|--out: FILE: is not a folder",
        "generate fox --prompt-rewriter-model m|--prompt-rewriter-model has an effect only with",
        "generate fox --prompt-rewriter ftp://x --prompt-rewriter-model m|must be an http or https",
        "eval --prompt-seed 7|--prompt-seed has an effect only with --print-prompts",
        "eval --print-prompts 3 --out x|--out has no effect with --print-prompts",
        "eval --print-prompts 3 --model demo|--model has no effect with --print-prompts",
        "eval --print-prompts 0|--print-prompts must be at least 1",
        "eval --limit 0|--limit must be at least 1",
        "eval --pictures -1|--pictures must be at least 0",
        "eval --prompts nowhere.jsonl|nowhere.jsonl: there is no such file or folder",
        "eval --prompts FILE|--prompts: FILE",
        "worker --mode draw|--mode",
        "worker --mode train|--mode train needs --config",
        "worker --config FILE|--config has an effect only with --mode=train or --mode=train-tokenizer",
        "worker --rank 1|--rank has an effect only with --mode=train",
        "worker --mode train --config FILE --model demo|--model has no effect with --mode=train",
        "worker --mode train --config FILE --http-port 1|--http-port has no effect with --mode=train",
        "worker --mode train --config FILE --rank -1|--rank must be at least 0",
        "worker --http-bind 0.0.0.0|--http-bind has no effect with --http-port=-1",
        "worker --pod-deletion-cost|--pod-deletion-cost needs a pod with a service account's token",
        "worker --http-port 99999|--http-port must be 0 to 65535, not 99999",
        "worker --coordinator 127.0.0.1,192.0.2.7 --token x|--coordinator must be reached by TLS",
        "worker --coordinator ftp://x|--coordinator must begin with",
        "worker --shutdown-grace soon|--shutdown-grace must be a duration",
        "worker --tls-cert x|--tls-cert and --tls-key go together",
        "worker --model nowhere|\"nowhere\" is neither a built-in model",
        "demo-data|--out",
        "demo-data --out x --count 0|--count must be at least 1",
        "quantizers --tokens 0|--tokens must be 1 to",
        "quantizers --bits 8,99|--bits must be 1 to 24, not 99",
        "verify --only schedules|needs --fixtures",
        "verify --fixtures nowhere|is not a folder",
        "verify --fixtures FOLDER --only nothing*|--only: there is no fixture \"nothing*\"",
        "model|say what to do: model import",
        "model inspekt x|did you mean inspect?",
        "model inspect nowhere|does not exist",
        "model inspect FILE --role poet|--role",
        "model import --out x|name a SOURCE",
        "model import nowhere --out x|does not exist",
        "model import FILE --out x --sizes 9M|--sizes",
        "model import FILE --out x --link --dtype bf16|--link and --dtype",
        "model convert nowhere --out x|does not exist",
        "model convert FILE --out x --shard-size 0|--shard-size",
        "model convert FILE --out x.safetensors --shard-size 2|--shard-size has an effect only where",
        "tokenizer|say what to do: tokenizer reconstruct",
        "tokenizer reconstruct|IMAGES",
        "tokenizer reconstruct FOLDER|there are no pictures",
        "tokenizer reconstruct FILE --tokenizer nowhere|is no file",
        "tokenizer reconstruct FILE --size 9M|--size",
        "tokenizer reconstruct FILE --device gpu|expected auto, cpu or cuda:N",
      })
  void wrongUsageIsSaidAndExitsWithTwo(String arguments, String complaint) throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no such thing as a model\n");
    Path empty = Files.createDirectories(folder.resolve("empty"));
    StringWriter err = new StringWriter();
    CommandLine commandLine = Main.commandLine();
    commandLine.setErr(new PrintWriter(err, true));
    String[] words = arguments.split(" ");
    for (int i = 0; i < words.length; i++) {
      words[i] = words[i].replace("FILE", file.toString()).replace("FOLDER", empty.toString());
    }

    assertEquals(2, commandLine.execute(words), err.toString());

    String said = err.toString();
    assertTrue(said.contains(complaint.replace("FILE", file.toString())), said);
    assertTrue(!said.contains("\tat ") && !said.contains("Exception"), said);
  }
}
