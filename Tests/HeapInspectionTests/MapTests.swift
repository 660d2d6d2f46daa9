import Glibc
import HeapInspection
import OakumModel
import OakumTestKit
import Testing

@Suite struct `Memory maps` {
    private static let text = """
        55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]
        7f0000000000-7f0000001000 r--s 00003000 08:02 173521                     /usr/lib/a name with spaces (deleted)
        7f0000001000-7f0000004000 r-xp 00001000 fe:02 9                          /usr/lib/libc.so.6

        ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
        """

    @Test func `a map is read line by line`() throws {
        let map = try MemoryMap(Array(Self.text.utf8))
        #expect(
            map.regions.map(\.path) == [
                "[heap]", "/usr/lib/a name with spaces (deleted)", "/usr/lib/libc.so.6", "[vsyscall]",
            ])
        #expect(map.regions[0].isWritable && !map.regions[0].isExecutable)
        #expect(map.regions[1].isShared && !map.regions[1].isWritable)
        #expect(map.regions[1].offset == 0x3000 && map.regions[1].inode == 173_521)
        #expect(map.region(of: 0x7f00_0000_1fff)?.isExecutable == true)
        #expect(map.region(of: 0x7f00_0000_4000) == nil)
        #expect(map.region(of: 0) == nil)
        #expect(map.region(of: .max) == nil)
    }

    @Test(arguments: [
        "x", "10-5 rw-p 0 00:00 0", "10-20 rw", "10-20 rw-p 0 00:00", "10-20 rw-p 0 00:00 99999999999999999999",
        "11112222333344445-2 rw-p 0 00:00 0", "20-30 rw-p 0 00:00 0\n10-15 rw-p 0 00:00 0", "10-20 rw-p g 00:00 0",
    ])
    func `a malformed map is an error`(_ text: String) {
        #expect(throws: InspectionError.self) { try MemoryMap(Array(text.utf8)) }
    }

    @Test func `damaged maps never give regions out of order`() async throws {
        try await forAll(seeds: 3_000) { generator in
            let bytes = generator.damaged(Array(Self.text.utf8))
            do throws(InspectionError) {
                let map = try MemoryMap(bytes)
                var last: UInt64 = 0
                for region in map.regions {
                    #expect(region.start >= last && region.end > region.start)
                    last = region.end
                }
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test func `a process that is gone is told from one that lives`() throws {
        let gone = ProcessIdentity(pid: getpid(), startTicks: 1)
        #expect(throws: InspectionError.gone(gone)) { try ProcessInspector(gone) }
    }
}

@Suite struct `Missing rights` {
    private func facts(_ change: (inout AccessProblem.Facts) -> Void) -> String {
        var facts = AccessProblem.Facts(
            pid: 7, ourUser: 1_000, theirUser: 1_000, mayTrace: false, scope: nil, isDumpable: true)
        change(&facts)
        return AccessProblem.explain(facts)
    }

    @Test func `each reason comes with what to do about it`() {
        #expect(facts { $0.scope = 3 }.contains("reboot"))
        #expect(facts { $0.scope = 1 }.contains("readable: true"))
        #expect(facts { $0.scope = 2 }.contains("CAP_SYS_PTRACE"))
        #expect(facts { $0.theirUser = 33 }.contains("runs as user 33, oakum as user 1000"))
        #expect(facts { $0.isDumpable = false }.contains("not dumpable"))
        #expect(facts { $0.mayTrace = true }.contains("security module"))
        #expect(facts { $0.theirUser = nil }.contains("try again"))
        #expect(facts { _ in }.contains("container"))
    }
}
