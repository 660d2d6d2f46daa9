/// Where a process's memory is accounted: its control group (cgroups(7)), version 2 or 1.
package struct CgroupMemory: Hashable, Sendable {
    package enum Version: Hashable, Sendable {
        case one
        case two
    }

    /// One reading, in bytes.
    package struct Reading: Hashable, Sendable {
        package var usedBytes: UInt64
        /// Nil: no limit.
        package var limitBytes: UInt64?
        /// Memory without files behind it; nil when the kernel does not tell.
        package var anonymousBytes: UInt64?
        /// Page cache, which the kernel takes back under pressure.
        package var fileBytes: UInt64?
        /// The part of it that was not used lately: dropping it costs nobody anything.
        package var inactiveFileBytes: UInt64?

        package init(
            usedBytes: UInt64, limitBytes: UInt64?, anonymousBytes: UInt64?, fileBytes: UInt64?,
            inactiveFileBytes: UInt64? = nil
        ) {
            self.usedBytes = usedBytes
            self.limitBytes = limitBytes
            self.anonymousBytes = anonymousBytes
            self.fileBytes = fileBytes
            self.inactiveFileBytes = inactiveFileBytes
        }
    }

    /// How hard a group has hit its limits, counted since it was made.
    package struct Strain: Hashable, Sendable {
        /// Above it the kernel slows the group down and reclaims; nil: no such limit, or version 1, which has none.
        package var throttleBytes: UInt64?
        /// How often the kernel reclaimed because a limit was reached; page cache alone makes it happen too.
        package var limitEvents: UInt64?
        /// How often the kernel killed a process of the group.
        package var killEvents: UInt64?
    }

    package var version: Version
    package var folder: String

    /// A group by its folder.
    package init(version: Version, folder: String) {
        self.version = version
        self.folder = folder
    }

    /// Finds a process's group; nil when it is gone, has none for memory, or the hierarchy is not mounted here.
    package static func locate(pid: Int32) -> CgroupMemory? {
        guard let groups = FileBytes.read(path: "/proc/\(pid)/cgroup"),
            let mounts = FileBytes.read(path: "/proc/self/mountinfo", limit: 1 << 20)
        else { return nil }
        return locate(groups: groups, mounts: mounts)
    }

    /// The same from the files' contents: `/proc/PID/cgroup` and `/proc/self/mountinfo`.
    package static func locate(groups: [UInt8], mounts: [UInt8]) -> CgroupMemory? {
        let places = lines(mounts).compactMap(mount)
        // A hybrid machine has both; memory is then accounted in the first version when it is listed there.
        for version in [Version.one, .two] {
            guard let group = lines(groups).lazy.compactMap({ path($0, version) }).first,
                let place = places.first(where: { $0.version == version })
            else { continue }
            return CgroupMemory(version: version, folder: folder(of: group, in: place))
        }
        return nil
    }

    /// Reads the group; nil when it is gone or the root group, which has no accounting of its own.
    package func read() -> Reading? {
        let names =
            version == .two
            ? (used: "memory.current", limit: "memory.max")
            : (used: "memory.usage_in_bytes", limit: "memory.limit_in_bytes")
        guard let used = FileBytes.read(path: "\(folder)/\(names.used)").flatMap({ Self.amount($0.span) }) else {
            return nil
        }
        let limit = FileBytes.read(path: "\(folder)/\(names.limit)").flatMap { Self.amount($0.span) }
        let stat = FileBytes.read(path: "\(folder)/memory.stat") ?? []
        return Reading(
            usedBytes: used, limitBytes: limit,
            anonymousBytes: Self.value(version == .two ? "anon " : "total_rss ", stat.span),
            fileBytes: Self.value(version == .two ? "file " : "total_cache ", stat.span),
            inactiveFileBytes: Self.value(version == .two ? "inactive_file " : "total_inactive_file ", stat.span))
    }

    /// Reads how hard the group has hit its limits; what cannot be read is nil.
    package func strain() -> Strain {
        if version == .one {
            let control = FileBytes.read(path: "\(folder)/memory.oom_control") ?? []
            return Strain(
                throttleBytes: nil,
                limitEvents: FileBytes.read(path: "\(folder)/memory.failcnt").flatMap { Self.amount($0.span) },
                killEvents: Self.value("oom_kill ", control.span))
        }
        let events = FileBytes.read(path: "\(folder)/memory.events") ?? []
        let (high, most) = (Self.value("high ", events.span), Self.value("max ", events.span))
        return Strain(
            throttleBytes: FileBytes.read(path: "\(folder)/memory.high").flatMap { Self.amount($0.span) },
            limitEvents: high == nil && most == nil ? nil : (high ?? 0) &+ (most ?? 0),
            killEvents: Self.value("oom_kill ", events.span))
    }

    /// The group and those above it whose accounting can be read, from the inside out: a limit of any of them binds.
    package var withAncestors: [CgroupMemory] {
        var chain = [self]
        var path = folder
        // Hierarchies are a few levels deep; the bound only guards against a loop of links.
        while chain.count < 32, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            path = String(path[..<slash])
            let above = CgroupMemory(version: version, folder: path)
            guard above.read() != nil else { break }
            chain.append(above)
        }
        return chain
    }

    /// The folder whose `memory.pressure` tells of a process's own group: in version 2's hierarchy, even where memory is
    /// accounted by version 1. Nil when there is none; the root's tells of the whole machine.
    package static func pressureFolder(groups: [UInt8], mounts: [UInt8]) -> String? {
        let places = lines(mounts).compactMap(mount)
        guard let group = lines(groups).lazy.compactMap({ path($0, .two) }).first,
            let place = places.first(where: { $0.version == .two })
        else { return nil }
        return folder(of: group, in: place)
    }

    /// Memory pressure within the group; nil with version 1 or an older kernel.
    package func pressure() -> Pressure? {
        guard version == .two else { return nil }
        return FileBytes.read(path: "\(folder)/memory.pressure").flatMap { Pressure($0.span) }
    }

    // MARK: - Reading the files' contents

    /// A number of bytes; nil for "max" and for version 1's "no limit", the largest multiple of a page in 63 bits.
    package static func amount(_ bytes: Span<UInt8>) -> UInt64? {
        var scanner = ByteScanner()
        guard let value = scanner.number(bytes), value < UInt64(Int64.max) - (1 << 20) else { return nil }
        return value
    }

    /// The number behind a key at the start of a line. The key ends with a blank, so that none is the start of another.
    package static func value(_ key: StaticString, _ bytes: Span<UInt8>) -> UInt64? {
        var scanner = ByteScanner()
        while !scanner.isAtEnd(bytes) {
            if scanner.take(key, bytes) { return scanner.number(bytes) }
            scanner.skipLine(bytes)
        }
        return nil
    }

    private struct Mount {
        var version: Version
        var root: String
        var point: String
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// "36 35 98:0 /root /mount/point rw,… - cgroup2 cgroup2 rw,…" (proc_pid_mountinfo(5)).
    private static func mount(_ line: String) -> Mount? {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 5, fields.count > dash + 3 else { return nil }
        let (root, point) = (String(fields[3]), String(fields[4]))
        switch fields[dash + 1] {
        case "cgroup2": return Mount(version: .two, root: root, point: point)
        case "cgroup" where fields[dash + 3].split(separator: ",").contains("memory"):
            return Mount(version: .one, root: root, point: point)
        default: return nil
        }
    }

    /// "0::/path" in version 2, "5:memory:/path" in version 1.
    private static func path(_ line: String, _ version: Version) -> String? {
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].hasPrefix("/") else { return nil }
        let fits =
            version == .two ? parts[0] == "0" && parts[1].isEmpty : parts[1].split(separator: ",").contains("memory")
        return fits ? String(parts[2]) : nil
    }

    /// A mount may show only a part of the hierarchy: the group's path counts from the mount's root.
    private static func folder(of group: String, in mount: Mount) -> String {
        var rest = group[...]
        if mount.root != "/", rest.hasPrefix(mount.root) { rest = rest.dropFirst(mount.root.count) }
        return rest == "/" ? mount.point : mount.point + rest
    }
}
