"""The DevStack plugin, phase by phase, with DevStack's own functions replaced by small ones."""
import os
import subprocess
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('BUILD', os.path.join(TOP, 'build/release'))

# What the plugin uses of DevStack. Commands that would change the machine are written to $LOG instead.
DEVSTACK = r'''
set -eu
log() { echo "$*" >>"$LOG"; }
echo_summary() { log "summary: $*"; }
die() { echo "die: $*" >&2; exit 1; }
enable_service() { log "enable_service $*"; ENABLED="$ENABLED $*"; }
is_service_enabled() { [[ " $ENABLED " == *" $1 "* ]]; }
trueorfalse() { local default=$1 value=${!2:-}; [[ -n "$value" ]] && echo "$value" || echo "$default"; }
run_process() { log "run_process $*"; }
stop_process() { log "stop_process $*"; }
make() { log "make $*"; }
timeout() { log "timeout $*"; }
sudo() { case $1 in make) "$@" ;; install) shift; command install -d "${@: -1}" ;; *) "$@" ;; esac; }
iniset() {
    python3 - "$@" <<'PY'
import configparser, sys
path, section, option, value = sys.argv[1:]
c = configparser.RawConfigParser(delimiters='=')
c.optionxform = str
c.read(path)
c.has_section(section) or c.add_section(section)
c.set(section, option, value)
with open(path, 'w') as f:
    c.write(f)
PY
}
source "$TOP/devstack/settings"
for phase in "$@"; do
    # shellcheck disable=SC2086 # a phase is one or two words
    set -- $phase
    source "$TOP/devstack/plugin.sh" "$@"
done
'''


class Plugin(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        for name in ('nova.conf', 'nova-cpu.conf'):
            with open(self.path(name), 'w') as f:
                f.write('[placement]\nauth_type = noauth\nendpoint_override = http://127.0.0.1:1\n')

    def path(self, *names):
        return os.path.join(self.dir.name, *names)

    def run_phases(self, *phases, enabled='n-cpu', **settings):
        env = dict(os.environ, TOP=TOP, LOG=self.path('log'), ENABLED=enabled, DEST=self.dir.name, DATA_DIR=self.dir.name,
                   STACK_USER='root', NOVA_CONF=self.path('nova.conf'), NOVA_CPU_CONF=self.path('nova-cpu.conf'),
                   VGPU_AGENT_DIR=TOP, VGPU_AGENT_CONF_DIR=self.path('etc'), **settings)
        done = subprocess.run(['bash', '-c', DEVSTACK, 'devstack', *phases], env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path('log')) as f:
            return f.read()

    def check_config(self, *files):
        done = subprocess.run([os.path.join(BUILD, 'vgpu-agent')] + [a for f in files for a in ('--config-file', f)] +
                              ['--sysfs-root', self.dir.name, 'check-config'], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    TYPES = {'VGPU_AGENT_TYPES': 'nvidia-35, nvidia-36',
             'VGPU_AGENT_ADDRESSES': 'nvidia-35=0000:84:00.0,0000:85:00.0 nvidia-36=0000:86:00.0'}

    def test_every_phase_runs(self):
        log = self.run_phases('stack install', 'stack post-config', 'stack extra', 'unstack', 'clean', **self.TYPES)
        for step in ('make -C %s all' % TOP, 'make -C %s install' % TOP, 'run_process vgpu-agent ', 'stop_process vgpu-agent',
                     'make -C %s uninstall' % TOP):
            self.assertIn(step, log)
        self.assertFalse(os.path.exists(self.path('etc')))

    def test_owner_mode_keeps_types_from_nova(self):
        self.run_phases('stack post-config', **self.TYPES)
        with open(self.path('nova.conf')) as f:
            self.assertNotIn('enabled_mdev_types', f.read())
        with open(self.path('etc', 'vgpu-agent.conf')) as f:
            text = f.read()
        self.assertIn('enabled_mdev_types = nvidia-35, nvidia-36', text)
        self.assertIn('[mdev_nvidia-35]\ndevice_addresses = 0000:84:00.0,0000:85:00.0', text)
        self.assertIn('mode = owner', text)

    def test_nova_mode_gives_types_to_nova(self):
        self.run_phases('stack post-config', VGPU_AGENT_MODE='nova', **self.TYPES)
        with open(self.path('nova.conf')) as f:
            self.assertIn('enabled_mdev_types', f.read())
        with open(self.path('etc', 'vgpu-agent.conf')) as f:
            self.assertNotIn('enabled_mdev_types', f.read())

    def test_the_agent_takes_what_the_plugin_writes(self):
        self.run_phases('stack post-config', **self.TYPES)
        _, text = self.check_config(self.path('nova-cpu.conf'), self.path('etc', 'vgpu-agent.conf'))
        # The host has none of these GPUs; everything else must be right.
        wrong = [line for line in text.splitlines() if 'vgpu-agent.conf:' in line and not line.startswith('read ') and '0000:8' not in line and 'offers' not in line]
        self.assertEqual(wrong, [])

    def test_simulated_gpus(self):
        log = self.run_phases('stack post-config', 'stack extra', VGPU_AGENT_SIMULATE='True')
        self.assertIn('enable_service vgpu-agent-sim', log)
        self.assertIn('mdevsim --host %s/tests/hosts/' % TOP, log)
        host = [w for w in log.split() if w.startswith(TOP + '/tests/hosts/')][0]
        self.assertTrue(os.path.exists(host), host)

    def test_nothing_without_nova_compute(self):
        log = self.run_phases('stack install', 'stack post-config', 'stack extra', enabled='placement-api')
        self.assertNotIn('make', log)


if __name__ == '__main__':
    unittest.main()
