package import OakumModel

extension HeapImage {
    /// Reads the sampler's file: a copy of it, so that it cannot change meanwhile.
    ///
    /// What is damaged is either an error (header, tables: nothing can be trusted) or skipped and counted (`skipped`).
    /// Whatever the bytes are, there is no trap and no read outside of them; time is proportional to the size of the file,
    /// memory at most twice that.
    /// - Parameters:
    ///   - readAt: when the copy was made, for a process that lives. Left out for one that is gone: its last sign of life
    ///     in the file then stands for it, since ages grow no more.
    package static func parse(_ bytes: [UInt8], readAt: Uptime? = nil) throws(HeapImageError) -> HeapImage {
        try parse(bytes.span.bytes, readAt: readAt)
    }

    /// The same for bytes that are somewhere else, a mapped copy for example.
    package static func parse(_ bytes: RawSpan, readAt: Uptime? = nil) throws(HeapImageError) -> HeapImage {
        let header = try HeapFileHeader(bytes, fileBytes: bytes.byteCount)
        var skipped = SkippedRecords()
        let modules = readModules(bytes, header.modules, &skipped)
        let stacks = readStacks(bytes, header, &skipped)
        let freed = readLifetimes(bytes, header, stacks: stacks.count, &skipped)
        let live = readRecords(bytes, header, stacks: stacks.count, &skipped)
        let lastSign = Swift.max(
            header.samplingSince, live.lazy.map(\.bornNanoseconds).max() ?? 0,
            stacks.lazy.map(\.firstSeenNanoseconds).max() ?? 0, modules.lazy.map(\.loadedNanoseconds).max() ?? 0)
        return HeapImage(
            process: header.process, mode: header.mode, meanBytes: header.meanBytes, bytesInUse: header.bytesInUse,
            bytesInUseErrorPerThread: header.bytesInUseError, counters: header.counters, state: header.state,
            observed: readAt ?? Uptime(seconds: Double(lastSign) / 1e9), modules: modules, stacks: stacks, live: live,
            freed: freed, skipped: skipped)
    }

    /// The parts of a file that hold anything, by rising position, the header first: the file is sparse and mostly room. A
    /// reader may copy these alone into zeroed memory of the file's size and parse that.
    ///
    /// A table may be in use further by the time it is copied; what came after `header` was read is then not in the image.
    /// - Parameters:
    ///   - header: the first 4096 bytes of the file, or more of it.
    ///   - fileBytes: the size of the file.
    package static func rangesInUse(header: [UInt8], fileBytes: Int) throws(HeapImageError) -> [Range<Int>] {
        let header = try HeapFileHeader(header.span.bytes, fileBytes: fileBytes)
        let tables = [header.modules, header.stacks, header.frames, header.lifetimes, header.records]
        return [0..<HeapFileLayout.headerBytes]
            + tables.map { $0.offset..<$0.offset + $0.used * $0.entryBytes }.filter { !$0.isEmpty }
            .sorted { $0.lowerBound < $1.lowerBound }
    }

    private static func readModules(
        _ bytes: RawSpan, _ table: HeapFileTable, _ skipped: inout SkippedRecords
    ) -> [LoadedModule] {
        typealias Field = HeapFileLayout.Module
        var modules: [LoadedModule] = []
        for entry in table.entries {
            let idBytes = Int(bytes.uint32(entry + Field.buildIDBytes))
            let (low, high) = (bytes.uint64(entry + Field.low), bytes.uint64(entry + Field.high))
            var check = HeapFileCheck()
            for offset in stride(from: Field.loaded, to: Field.size, by: 8) { check.mix(bytes.uint64(entry + offset)) }
            guard check.sum == bytes.uint64(entry), low < high, idBytes <= HeapFileLayout.buildIDLimit else {
                skipped.modules += 1
                continue
            }
            let unloaded = bytes.uint64(entry + Field.unloaded)
            modules.append(
                LoadedModule(
                    loadBias: bytes.uint64(entry + Field.bias), addresses: low..<high,
                    buildID: (0..<idBytes).map { bytes.byte(entry + Field.buildID + $0) },
                    path: bytes.text(entry + Field.path.lowerBound, limit: Field.path.count),
                    loadedNanoseconds: bytes.uint64(entry + Field.loaded),
                    unloadedNanoseconds: unloaded == 0 ? nil : unloaded))
        }
        return modules
    }

    /// Every entry gives a stack, so that the index stays; a damaged one gives a stack without frames. There is always
    /// the unknown stack, index 0.
    private static func readStacks(
        _ bytes: RawSpan, _ header: HeapFileHeader, _ skipped: inout SkippedRecords
    ) -> [StackTrace] {
        let missing = StackTrace(addresses: [], quality: .missing)
        var stacks = [missing]
        // Stacks own their frames: a file whose stacks share them only wants to take memory.
        var room = header.frames.used
        for (index, entry) in header.stacks.entries.enumerated() where index > 0 {
            guard let stack = readStack(bytes, at: entry, header.frames), stack.addresses.count <= room else {
                skipped.stacks += 1
                stacks.append(missing)
                continue
            }
            room -= stack.addresses.count
            stacks.append(stack)
        }
        return stacks
    }

    private static func readStack(_ bytes: RawSpan, at entry: Int, _ frames: HeapFileTable) -> StackTrace? {
        typealias Field = HeapFileLayout.Stack
        let (hash, first) = (bytes.uint64(entry + Field.hash), bytes.uint64(entry + Field.firstFrame))
        let count = Int(bytes.uint32(entry + Field.frameCount))
        let firstSeen = bytes.uint64(entry + Field.firstSeen)
        let check = HeapFileCheck.of([hash, first, bytes.uint64(entry + Field.frameCount), firstSeen])
        guard check == bytes.uint64(entry), count <= HeapFileLayout.frameLimit, first <= UInt64(frames.used),
            count <= frames.used - Int(first)
        else { return nil }
        let start = frames.offset + Int(first) * 8
        let addresses = (0..<count).map { bytes.uint64(start + $0 * 8) }
        guard HeapFileCheck.of(addresses) == hash else { return nil }
        let quality: StackQuality
        switch bytes.uint32(entry + Field.quality) {
        case 1: quality = .complete
        case 2: quality = .cutAtLimit
        case 3: quality = .endedEarly
        default: return nil
        }
        return StackTrace(addresses: addresses, quality: quality, firstSeenNanoseconds: firstSeen)
    }

    private static func readLifetimes(
        _ bytes: RawSpan, _ header: HeapFileHeader, stacks: Int, _ skipped: inout SkippedRecords
    ) -> [FreedLifetimes] {
        typealias Field = HeapFileLayout.Lifetimes
        var freed: [FreedLifetimes] = []
        for (index, entry) in header.lifetimes.entries.enumerated() {
            // The sums are counted up one by one; the histogram is what survival is made of, so it decides.
            let counts = LifetimeBucket.indices.map { bytes.uint64(entry + Field.bucketCounts + $0 * 8) }
            guard counts.contains(where: { $0 > 0 }) else { continue }
            let buckets = LifetimeBucket.indices.compactMap { bucket -> LifetimeBucket? in
                let weight = bytes.uint64(entry + Field.bucketWeights + bucket * 8)
                guard counts[bucket] > 0, weight > 0 else { return nil }
                return LifetimeBucket(index: bucket, count: counts[bucket], weight: Double(weight))
            }
            let total = counts.reduce(into: (sum: UInt64(0), overflow: false)) {
                let next = $0.sum.addingReportingOverflow($1)
                $0 = (next.partialValue, $0.overflow || next.overflow)
            }
            guard index < stacks, !total.overflow, total.sum < 1 << 40 else {
                skipped.lifetimes += 1
                continue
            }
            freed.append(
                FreedLifetimes(
                    stack: index, count: total.sum, bytes: bytes.uint64(entry + Field.bytes), buckets: buckets))
        }
        return freed
    }

    private static func readRecords(
        _ bytes: RawSpan, _ header: HeapFileHeader, stacks: Int, _ skipped: inout SkippedRecords
    ) -> [AllocationRecord] {
        typealias Field = HeapFileLayout.Record
        var live: [AllocationRecord] = []
        for entry in header.records.entries {
            let state = bytes.uint64(entry)
            guard state & 3 != 0 else { continue }
            var check = HeapFileCheck()
            check.mix(state)
            for offset in stride(from: Field.address, to: Field.threadAndStack + 8, by: 8) {
                check.mix(bytes.uint64(entry + offset))
            }
            guard state & 3 == 2, check.sum == bytes.uint64(entry + Field.check) else {
                skipped.torn += 1
                continue
            }
            let (size, weight) = (bytes.uint64(entry + Field.bytes), bytes.uint64(entry + Field.weight))
            guard header.isPossible(size: size, weight: weight) else {
                skipped.invalid += 1
                continue
            }
            let last = bytes.uint64(entry + Field.threadAndStack)
            let stack = Int(last >> 32)
            live.append(
                AllocationRecord(
                    address: bytes.uint64(entry + Field.address), size: size, weight: Double(weight),
                    bornNanoseconds: bytes.uint64(entry + Field.birth), thread: Int32(truncatingIfNeeded: last),
                    stack: stack < stacks ? stack : 0))
        }
        return live
    }
}

// MARK: - Fields

extension RawSpan {
    /// Little-endian. The position has been checked by whoever calls; `RawSpan` stops the program at one that is outside.
    func uint64(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    func uint32(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    func byte(_ offset: Int) -> UInt8 {
        unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)
    }

    /// The bytes up to the first NUL or the limit; what is not UTF-8 is replaced, control characters too: paths are shown
    /// on terminals.
    func text(_ offset: Int, limit: Int) -> String {
        var bytes: [UInt8] = []
        for position in offset..<offset + limit {
            let byte = byte(position)
            guard byte != 0 else { break }
            bytes.append(byte < 0x20 || byte == 0x7F ? UInt8(ascii: "?") : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
