import type { Strings } from '../strings/en';

export const strings: Strings = {
  chat: 'محادثة', greeting: 'كيف يمكنني مساعدتك اليوم؟', placeholder: 'أرسل رسالة إلى الذكاء الاصطناعي', composer: 'رسالة',
  send: 'إرسال الرسالة', stop: 'إيقاف الإجابة', newChat: 'محادثة جديدة', history: 'سجل المحادثات', closeHistory: 'إغلاق السجل',
  searchHistory: 'البحث في المحادثات', noThreads: 'لا توجد محادثات بعد', noneFound: 'لا يوجد عنوان مطابق', untitled: 'محادثة بلا عنوان',
  today: 'اليوم', yesterday: 'أمس', earlier: 'قبل ذلك', rename: 'إعادة التسمية', delete: 'حذف', deleteQuestion: 'هل تريد حذف «{0}»؟',
  cancel: 'إلغاء', save: 'حفظ', options: 'خيارات {0}', loadMore: 'عرض المزيد', loading: 'جارٍ التحميل', conversation: 'المحادثة',
  youSaid: 'أنت', assistantSaid: 'المساعد', answering: 'المساعد يجيب', answered: 'اكتملت الإجابة', copy: 'نسخ', copied: 'تم النسخ',
  copyCode: 'نسخ الشيفرة', good: 'إجابة جيدة', bad: 'إجابة سيئة', retry: 'إعادة المحاولة', scrollDown: 'إلى أحدث رسالة',
  thinking: 'يفكر', thoughtFor: 'فكّر لمدة {0}', seconds: '{0} ث', minutes: '{0} د', steps: '{0} خطوات', sources: 'المصادر',
  source: 'المصدر {0}', dismiss: 'إغلاق', errorGeneric: 'حدث خطأ أثناء الإجابة.', errorConnection: 'انقطع الاتصال. ما وصل محفوظ.',
  errorUnreachable: 'تعذّر الوصول إلى الخادم.', errorLoad: 'تعذّر تحميل هذه المحادثة.', errorNotFound: 'هذه المحادثة غير موجودة.',
  closed: 'هذه المحادثة مغلقة.', locked: 'هذه المحادثة مقفلة.', attach: 'إضافة ملفات', attachments: 'المرفقات', removeFile: 'إزالة {0}',
  uploading: '{0}: {1}٪', uploadFailed: 'تعذّر رفع {0}.', tooLarge: 'حجم {0} أكبر من {1}.', tooMany: '{0} ملفات على الأكثر.',
  wrongType: 'نوع {0} غير مقبول.', dropHere: 'أفلت الملفات هنا لإرفاقها', tools: 'الأدوات', removeTool: 'عدم استخدام {0}', model: 'النموذج',
  mention: 'إشارة', suggestions: 'اقتراحات', commands: 'الأوامر', nothingFound: 'لا نتائج', dictate: 'إملاء', stopDictating: 'إيقاف الإملاء',
  transcribing: 'جارٍ التدوين', noMicrophone: 'لا يمكن استخدام الميكروفون.', quote: 'رد', removeQuote: 'إزالة الاقتباس', quoted: 'ردًا على',
  submit: 'إرسال الإجابات', skip: 'تخطٍّ', skipped: 'تم التخطي', otherAnswer: 'إجابة أخرى', image: 'صورة مولّدة', imageBlocked: 'صورة من {0}',
  showImage: 'عرض الصورة', toolRunning: 'جارٍ تشغيل {0}', toolDone: 'تم تشغيل {0}', showMore: 'عرض {0} أخرى', showLess: 'عرض أقل',
  unknownWidget: 'لا يمكن عرض هذا الجزء ({0}).', choose: 'اختر…', clear: 'مسح', chart: 'مخطط', details: 'التفاصيل',
  chooseDate: 'اختر تاريخًا', previousYear: 'السنة السابقة', previousMonth: 'الشهر السابق', nextMonth: 'الشهر التالي', nextYear: 'السنة التالية', time: 'الوقت', done: 'تم',
};
