/* interrupt MILLISECONDS PROGRAM ARGUMENT...: runs a program in a process group of its own, sends it Ctrl-Break after
   some time, and ends with its exit code. Rust's standard library cannot send it. */
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

int wmain(int count, wchar_t **words) {
    if (count < 3) return 99;
    wchar_t line[8192] = L"";
    for (int i = 2; i < count; i++) {
        wcscat(line, i > 2 ? L" \"" : L"\"");
        wcscat(line, words[i]);
        wcscat(line, L"\"");
    }
    if (!GetConsoleWindow()) AllocConsole();
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    PROCESS_INFORMATION child;
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_NEW_PROCESS_GROUP, NULL, NULL, &start, &child)) {
        fprintf(stderr, "interrupt: cannot start %ls: error %lu\n", words[2], GetLastError());
        return 98;
    }
    if (WaitForSingleObject(child.hProcess, _wtoi(words[1])) == WAIT_TIMEOUT
        && !GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, child.dwProcessId)) {
        fprintf(stderr, "interrupt: cannot send Ctrl-Break: error %lu\n", GetLastError());
        TerminateProcess(child.hProcess, 97);
    }
    WaitForSingleObject(child.hProcess, INFINITE);
    DWORD code = 96;
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}
