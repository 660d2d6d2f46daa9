import OakumModel

extension HeapProfile {
    /// What a reader must know to trust the figures: what the sampler could not see and what was damaged. Plain sentences;
    /// empty when there is nothing.
    package var notes: [String] {
        let counters = image.counters
        var notes: [String] = []
        func note(_ count: UInt64, _ text: String) {
            if count > 0 { notes.append("\(count) \(text)") }
        }
        note(
            counters.droppedSamples,
            "samples found the sampler's table full: about "
                + "\(ByteCount(Int64(clamping: counters.droppedWeight))) are missing")
        note(counters.droppedStacks, "samples have no stack: the sampler's table of stacks is full")
        note(counters.droppedModules, "mapped files are missing: their functions have no names")
        note(counters.passedUnsampled, "samples could not be taken")
        note(counters.inheritedLost, "blocks of the parent process were lost at the fork")
        let early = image.live.reduce(into: 0) { count, record in
            if image.stacks.indices.contains(record.stack), image.stacks[record.stack].quality == .endedEarly {
                count += 1
            }
        }
        note(UInt64(early), "live samples have a stack that ended early, in code without frame pointers")
        note(UInt64(image.skipped.torn), "records were being written and are left out")
        note(UInt64(image.skipped.invalid), "records are damaged and left out")
        note(UInt64(image.skipped.stacks), "stacks are damaged: their blocks count as unknown")
        note(UInt64(image.skipped.modules), "entries of mapped files are damaged and left out")
        note(UInt64(image.skipped.lifetimes), "entries of lifetimes are damaged and left out")
        for spot in BlindSpot.allCases where image.process.blindSpots.contains(spot) {
            notes.append(spot.sentence)
        }
        return notes
    }
}

extension BlindSpot {
    package var sentence: String {
        switch self {
        case .otherAllocator: "the allocator is not glibc's: bytes in use are counted in its own block sizes"
        case .cxxNewUnseen: "the allocator brings its own operator new: C++ objects are not in the profile"
        case .forked: "the process was forked: blocks of its parent may be missing"
        }
    }
}
