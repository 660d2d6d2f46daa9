import Glibc

/// Says why another process's memory may not be read (ptrace(2), "Ptrace access mode checking"), and what to do.
package enum AccessProblem {
    /// What the rules are decided by.
    package struct Facts: Hashable, Sendable {
        package var pid: Int32
        package var ourUser: UInt32
        /// Nil when `/proc/PID/status` cannot be read.
        package var theirUser: UInt32?
        /// CAP_SYS_PTRACE among our effective capabilities.
        package var mayTrace: Bool
        /// `/proc/sys/kernel/yama/ptrace_scope`; nil without Yama.
        package var scope: Int?
        /// The files of `/proc/PID` belong to the process's user: they do not when it is not dumpable.
        package var isDumpable: Bool

        package init(
            pid: Int32, ourUser: UInt32, theirUser: UInt32?, mayTrace: Bool, scope: Int?, isDumpable: Bool
        ) {
            self.pid = pid
            self.ourUser = ourUser
            self.theirUser = theirUser
            self.mayTrace = mayTrace
            self.scope = scope
            self.isDumpable = isDumpable
        }
    }

    /// The reason and the way out, as one sentence each.
    package static func explain(_ facts: Facts) -> String {
        let what = "may not read the memory of process \(facts.pid): "
        if facts.scope == 3 {
            return what + "ptrace_scope is 3, which forbids it to everybody. "
                + "Lower /proc/sys/kernel/yama/ptrace_scope (that takes a reboot) to see types and holders."
        }
        if facts.mayTrace {
            return what + "a security module or another user namespace forbids it. "
                + "Run oakum in the process's container or namespace, or look for a denial in the audit log."
        }
        if facts.theirUser == nil {
            return what + "its user is not known. It may have just ended: try again."
        }
        if let theirs = facts.theirUser, theirs != facts.ourUser, facts.ourUser != 0 {
            return what + "it runs as user \(theirs), oakum as user \(facts.ourUser). "
                + "Run oakum as that user or as root, or give it CAP_SYS_PTRACE."
        }
        if !facts.isDumpable {
            return what + "it has made itself not dumpable (prctl PR_SET_DUMPABLE, or its file is set-user-ID). "
                + "Run oakum as root or give it CAP_SYS_PTRACE."
        }
        if let scope = facts.scope, scope > 0 {
            return what + "ptrace_scope is \(scope) and the process is no child of oakum. "
                + (scope == 1
                    ? "Let the process opt in (`readable: true` under `heap:`, or OAKUM_HEAP_PTRACER=any), run oakum as root, give it "
                        + "CAP_SYS_PTRACE, or set /proc/sys/kernel/yama/ptrace_scope to 0."
                    : "Run oakum as root or give it CAP_SYS_PTRACE.")
        }
        return what + "the kernel refuses. In a container, add the SYS_PTRACE capability or lift the seccomp rule for "
            + "process_vm_readv."
    }

    /// For a process whose memory was just refused to us.
    package static func explain(pid: Int32) -> String {
        explain(facts(pid: pid))
    }

    static func facts(pid: Int32) -> Facts {
        let theirs = ProcFile.text("/proc/\(pid)/status").flatMap { field("Uid:", in: $0) }
        var information = stat()
        let isKnown = stat("/proc/\(pid)/mem", &information) == 0
        let capabilities = ProcFile.text("/proc/self/status").flatMap { field("CapEff:", in: $0, radix: 16) } ?? 0
        let scope = ProcFile.text("/proc/sys/kernel/yama/ptrace_scope")
        return Facts(
            pid: pid, ourUser: geteuid(), theirUser: theirs.map { UInt32(truncatingIfNeeded: $0) },
            mayTrace: capabilities & (1 << 19) != 0,
            scope: scope.flatMap { Int($0.prefix { $0.isNumber }) },
            isDumpable: !isKnown || theirs.map { UInt32(truncatingIfNeeded: $0) } == information.st_uid)
    }

    /// The first number behind a key of `/proc/PID/status`.
    static func field(_ key: String, in text: String, radix: Int = 10) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            return line.dropFirst(key.count).split { $0 == " " || $0 == "\t" }.first.flatMap {
                UInt64($0, radix: radix)
            }
        }
        return nil
    }
}
