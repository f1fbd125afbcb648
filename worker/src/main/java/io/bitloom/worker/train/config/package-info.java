/** Training configurations: YAML files, read strictly. */
package io.bitloom.worker.train.config;
