"""Settings of environments, of executions and of a cluster: what is set is given back, and what means something is used."""

import copy
import unittest

from pyflink.common import ConfigOptions, Configuration, Duration, ExecutionConfig, ExecutionMode, RestartStrategies, Row, RowKind, Time, Types
from pyflink.datastream import (
    CheckpointConfig, CheckpointingMode, CustomStateBackend, EmbeddedRocksDBStateBackend, ExternalizedCheckpointRetention, FileSystemCheckpointStorage,
    FsStateBackend, MemorySize, MemoryStateBackend, RocksDBStateBackend, RuntimeExecutionMode, SlotSharingGroup, StreamExecutionEnvironment,
    TimeCharacteristic,
)
from pyflink.datastream.state import StateTtlConfig
from pyflink.util.java_utils import get_j_env_configuration


class Configurations(unittest.TestCase):
    def test_values(self):
        settings = Configuration().set_string("s", "v").set_integer("i", 2).set_boolean("b", True).set_float("f", 0.5)
        self.assertEqual(("v", 2, True, 0.5, 7), (settings.get_string("s", ""), settings.get_integer("i", 0), settings.get_boolean("b", False),
                                                  settings.get_float("f", 0), settings.get_integer("absent", 7)))
        self.assertEqual({"s": "v", "i": "2", "b": "true", "f": "0.5"}, settings.to_dict())
        self.assertEqual("{s=v, i=2, b=true, f=0.5}", str(settings))
        target = {}
        settings.add_all_to_dict(target)
        self.assertEqual({"s": "v", "i": 2, "b": True, "f": 0.5}, target)
        other = copy.deepcopy(settings)
        self.assertEqual(settings, other)
        self.assertTrue(other.remove_config("s"))
        self.assertFalse(other.remove_config("s"))
        self.assertNotEqual(settings, other)
        self.assertEqual({"p.i", "p.b", "p.f"}, Configuration().add_all(other, "p.").key_set())

    def test_options(self):
        size = ConfigOptions.key("size").int_type().default_value(3)
        settings = Configuration()
        self.assertEqual(3, settings.get(size))
        self.assertEqual(4, settings.set_string("size", "4").get(size))
        self.assertIsNone(settings.get(ConfigOptions.key("name").string_type().no_default_value()))

    def test_lists(self):
        for text in ("a;b", "[a, b]", "- a\n- b"):
            self.assertEqual(["a", "b"], Configuration.parse_list_value(text))
        self.assertEqual(["[a, b]"], Configuration.parse_list_value("[a, b]", False))
        self.assertEqual([], Configuration.parse_list_value(None))


class Executions(unittest.TestCase):
    def test_settings_and_switches(self):
        config = ExecutionConfig()
        self.assertEqual((200, -1, {}), (config.get_auto_watermark_interval(), config.get_parallelism(), config.get_global_job_parameters()))
        config.set_execution_mode(ExecutionMode.BATCH).set_global_job_parameters({"a": 1}).set_task_cancellation_interval(interval=5)
        self.assertEqual((ExecutionMode.BATCH, {"a": "1"}, 5), (
            config.get_execution_mode(), config.get_global_job_parameters(), config.get_task_cancellation_interval()))
        self.assertTrue(config.is_closure_cleaner_enabled())
        self.assertFalse(config.disable_closure_cleaner().is_closure_cleaner_enabled())
        self.assertTrue(config.disable_generic_types().has_generic_types_disabled())
        self.assertTrue(config.disable_auto_type_registration().is_auto_type_registration_disabled())
        self.assertTrue(config.set_use_snapshot_compression(True).is_use_snapshot_compression())
        self.assertEqual({"A": "B"}, config.add_default_kryo_serializer("A", "B").get_default_kryo_serializer_classes())

    def test_equal_settings_are_equal(self):
        one, two = ExecutionConfig().set_parallelism(3), ExecutionConfig()
        self.assertNotEqual(one, two)
        two.set_parallelism(3)
        self.assertEqual((one, hash(one)), (two, hash(two)))

    def test_recovery_by_name(self):
        def configured(**values):
            configuration = Configuration()
            for key, value in values.items():
                configuration.set_string(key, value)
            env = StreamExecutionEnvironment.get_execution_environment(configuration)
            return env._restart(), env._drops_unclaimed

        self.assertEqual((None, False), configured())
        self.assertEqual(({"attempts": 5, "delay_ms": 2000}, False), configured(**{
            "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": "4", "restart-strategy.fixed-delay.delay": "2 s"}))
        self.assertEqual(({"attempts": 2, "delay_ms": 1000}, False), configured(**{"restart-strategy": "failure-rate"}))
        self.assertEqual(({"attempts": 1, "delay_ms": 0}, False), configured(**{"restart-strategy.type": "none"}))
        self.assertEqual((None, True), configured(**{"execution.savepoint.ignore-unclaimed-state": "true"}))

    def test_restarts(self):
        rate = RestartStrategies.failure_rate_restart(5, 10000, 5000)
        self.assertIsInstance(rate, RestartStrategies.FailureRateRestartStrategyConfiguration)
        self.assertEqual((5, Duration.of_seconds(10), Duration.of_seconds(5)),
                         (rate.get_max_failure_rate(), rate.get_failure_interval(), rate.get_delay_between_attempts_interval()))
        self.assertEqual(4, RestartStrategies.fixed_delay_restart(4, 100).get_restart_attempts())
        self.assertEqual(RestartStrategies.no_restart(), RestartStrategies.no_restart())
        self.assertNotEqual(RestartStrategies.no_restart(), RestartStrategies.fall_back_restart())

    def test_checkpoints(self):
        config = CheckpointConfig()
        self.assertEqual((False, CheckpointingMode.EXACTLY_ONCE, 600000, Duration.of_millis(0)), (
            config.is_checkpointing_enabled(), config.get_checkpointing_mode(), config.get_checkpoint_timeout(), config.get_alignment_timeout()))
        config.set_externalized_checkpoint_retention(ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION)
        self.assertEqual(ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION, config.get_externalized_checkpoint_retention())
        self.assertTrue(config.set_force_unaligned_checkpoints(True).is_force_unaligned_checkpoints())
        self.assertEqual("file:///x", config.set_checkpoint_storage_dir("file:///x/").get_checkpoint_storage().get_checkpoint_path())


class Environments(unittest.TestCase):
    def setUp(self):
        self.env = StreamExecutionEnvironment.get_execution_environment()

    def test_configure(self):
        settings = Configuration()
        for name, value in {"parallelism.default": "3", "pipeline.operator-chaining": "false", "pipeline.time-characteristic": "IngestionTime",
                            "execution.buffer-timeout": "1 min", "execution.checkpointing.timeout": "12000", "execution.runtime-mode": "BATCH",
                            "execution.checkpointing.interval": "5s", "state.backend": "jobmanager"}.items():
            settings.set_string(name, value)
        self.env.configure(settings)
        self.assertEqual((3, False, TimeCharacteristic.IngestionTime, 60000, 12000, 5000), (
            self.env.get_parallelism(), self.env.is_chaining_enabled(), self.env.get_stream_time_characteristic(), self.env.get_buffer_timeout(),
            self.env.get_checkpoint_config().get_checkpoint_timeout(), self.env.get_checkpoint_interval()))
        self.assertIsInstance(self.env.get_state_backend(), MemoryStateBackend)
        self.assertEqual(RuntimeExecutionMode.BATCH, self.env._mode)

    def test_settings_of_the_jvm_are_kept(self):
        get_j_env_configuration(self.env._j_stream_execution_environment).setString("python.execution-mode", "thread")
        self.assertEqual("thread", self.env._configuration.get_string("python.execution-mode", ""))

    def test_numbers_of_a_collection_are_cut_to_their_bits(self):
        row = Row(70000, [1])
        row.set_row_kind(RowKind.DELETE)
        stream = self.env.from_collection([row, (3, [2])], Types.ROW([Types.SHORT(), Types.LIST(Types.INT())]))
        elements = stream._node.inputs[0].node.details["source"].elements(0, 2)
        self.assertEqual((4464, RowKind.DELETE, (3, [2])), (elements[0][0], elements[0].get_row_kind(), elements[1]))

    def test_backends(self):
        self.assertEqual((MemoryStateBackend.DEFAULT_MAX_STATE_SIZE, True), (
            MemoryStateBackend().get_max_state_size(), MemoryStateBackend().is_using_asynchronous_snapshots()))
        self.assertEqual(("file://var/checkpoints", 2048), (FsStateBackend("file://var/checkpoints/").get_checkpoint_path(),
                                                            FsStateBackend("x", file_state_size_threshold=2048).get_min_file_size_threshold()))
        rocks = RocksDBStateBackend("file://var/checkpoints/", True)
        rocks.set_db_storage_paths("file://var/a/", "file://var/b/")
        self.assertEqual((["/a", "/b"], True, "file://var/checkpoints"), (
            rocks.get_db_storage_paths(), rocks.is_incremental_checkpoints_enabled(), rocks.get_checkpoint_backend().get_checkpoint_path()))
        self.assertFalse(EmbeddedRocksDBStateBackend().is_incremental_checkpoints_enabled())
        self.assertEqual(20480, FileSystemCheckpointStorage("x").get_min_file_size_threshold())
        with self.assertRaisesRegex(TypeError, "a custom state backend is Java's"):
            CustomStateBackend(None)

    def test_slots(self):
        group = SlotSharingGroup.builder("g").set_cpu_cores(1.0).set_task_heap_memory_mb(100).set_external_resource("gpu", 1.0).build()
        self.assertEqual(("g", 1.0, MemorySize.of_mebi_bytes(100), {"gpu": 1.0}, None), (
            group.get_name(), group.get_cpu_cores(), group.get_task_heap_memory(), group.get_external_resources(), group.get_managed_memory()))

    def test_time_to_live(self):
        config = StateTtlConfig.new_builder(Time.seconds(1)).cleanup_incrementally(10, True).cleanup_full_snapshot().disable_cleanup_in_background().build()
        strategies = config.get_cleanup_strategies()
        self.assertEqual((Time.seconds(1), 10, True, None, False), (
            config.get_ttl(), strategies.get_incremental_cleanup_strategy().get_cleanup_size(), strategies.in_full_snapshot(),
            strategies.get_rocksdb_compact_filter_cleanup_strategy(), strategies.is_cleanup_in_background()))


if __name__ == "__main__":
    unittest.main()
